"""Figures: how good retrieval and answers are on a labelled set."""

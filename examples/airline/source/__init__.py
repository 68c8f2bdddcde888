"""How the generated documents of the example airline are made from the text in `text/` and `figures/`."""

"""Sorts texts by their vectors: under labels that are given, or into as many groups as they fall into themselves.

Nothing is trained on answers. Label names are compared in a few plain sentences; where there are many messages a label,
the messages themselves then move each label to where its own are (a soft spherical k-means that starts at the names).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
Embed = Callable[[list[str]], Vectors]

TEMPLATES = (
    "{}",
    "I need help with {}",
    "My message is about {}",
    "{}?",
    "How do I deal with {}?",
    "This is about {}.",
)
ENOUGH = 10
"""Messages a label from which the labels move: below it the messages say too little about what a label means."""
NEIGHBOURS = 5
SPREAD = 0.7
"""The share of a message's meaning that comes from its neighbours' (label spreading, Zhou et al. 2003)."""
SHARPNESS = 10.0
NAME = 0.5
"""What a label's name weighs beside its messages, as a share of the mean number of messages a label."""
EVEN = 0.06
"""How strongly, in each round, a label with many messages yields to one with few."""
ROUNDS = 10
FAR = 0.15
"""A message whose nearest label is not even this close (cosine) is `other`, where there is such a label."""
FEWEST = 0.8
"""The share of the best silhouette that is enough: then fewer groups are better."""
SPREADABLE = 4000
"""Messages up to which neighbours are looked at: it takes their number squared in memory."""


def units(vectors: Any) -> Vectors:
    """Rows of length one."""
    rows = np.asarray(vectors, np.float32)
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-9), np.float32)


def named(labels: Sequence[str], embed: Embed) -> Vectors:
    """One vector a label: the mean of what it means in a few plain sentences."""
    names = [label.replace("_", " ") for label in labels]
    told = embed([form.format(name) for form in TEMPLATES for name in names])
    return units(told.reshape(len(TEMPLATES), len(names), -1).mean(axis=0))


def sorted_under(messages: Vectors, labels: Vectors) -> Vectors:
    """How well each label (column) fits each message (row); each row adds up to 1."""
    if len(labels) == 1:
        return np.ones((len(messages), 1), np.float32)
    if len(messages) < ENOUGH * len(labels) or len(messages) > SPREADABLE:
        return _shares(messages @ labels.T)
    names = units(labels - labels.mean(axis=0))
    return _refined(_spread(units(messages - messages.mean(axis=0))), names)


def groups(messages: Vectors, wanted: int | None = None) -> NDArray[np.int_]:
    """The group of each message, counted from 0. Without a number, the fewest that are told apart nearly as well as any."""
    from scipy.cluster.hierarchy import fcluster, linkage

    if len(messages) < 3:
        return np.arange(len(messages)) if wanted and wanted > 1 else np.zeros(len(messages), int)
    centred = units(messages - messages.mean(axis=0))
    tree = linkage(centred, "ward")
    cuts = [min(wanted, len(messages))] if wanted else _candidates(len(messages))
    made = [np.asarray(fcluster(tree, cut, "maxclust")) - 1 for cut in cuts]
    return made[0] if wanted else _fewest(centred, made)


def typical(messages: Vectors, members: NDArray[np.int_]) -> list[int]:
    """The members of a group, nearest to its middle first."""
    middle = messages[members].mean(axis=0)
    return [int(members[place]) for place in np.argsort(-(messages[members] @ middle), kind="stable")]


def _candidates(count: int) -> list[int]:
    """Numbers of groups to try, about 15 % apart; a theme has three messages in the mean, in long lists five."""
    most = max(2, count // (3 if count < 100 else 5))
    return sorted({round(2 * 1.15**step) for step in range(60) if 2 * 1.15**step <= most} | {2})


def _fewest(centred: Vectors, made: Sequence[NDArray[np.int_]]) -> NDArray[np.int_]:
    from sklearn.metrics import silhouette_score

    distances = np.maximum(1.0 - centred @ centred.T, 0.0)
    np.fill_diagonal(distances, 0.0)
    apart = [
        float(silhouette_score(distances, one, metric="precomputed")) if 1 < one.max() + 1 < len(one) else -1.0
        for one in made
    ]
    enough = FEWEST * max(apart)
    return next(one for one, value in zip(made, apart, strict=True) if value >= enough or value == max(apart))


def _shares(scores: Vectors) -> Vectors:
    powers = np.exp(SHARPNESS * (scores - scores.max(axis=1, keepdims=True)))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)


def _spread(centred: Vectors) -> Vectors:
    """Each message with what its nearest neighbours mean mixed in."""
    near = centred @ centred.T
    np.fill_diagonal(near, -1.0)
    closest = np.argpartition(-near, NEIGHBOURS, axis=1)[:, :NEIGHBOURS]
    rows = np.arange(len(near))[:, None]
    edges = np.zeros_like(near)
    edges[rows, closest] = np.maximum(near[rows, closest], 0.0) ** 3
    edges = np.maximum(edges, edges.T)
    degree = np.sqrt(np.maximum(edges.sum(axis=1), 1e-9))
    smooth = np.eye(len(near), dtype=np.float32) - SPREAD * edges / degree[:, None] / degree[None, :]
    return units(np.linalg.solve(smooth, centred))


def _refined(messages: Vectors, names: Vectors) -> Vectors:
    middles, yields = names, np.zeros(len(names), np.float32)
    shares = np.empty(0, np.float32)
    for _ in range(ROUNDS):
        shares = _shares(messages @ middles.T + yields / SHARPNESS)
        yields = yields - EVEN * np.log(np.maximum(shares.mean(axis=0) * len(names), 0.05))
        middles = units(shares.T @ messages + NAME * len(messages) / len(names) * names)
    return shares

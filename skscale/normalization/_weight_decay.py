"""How much weight decay, and how many epochs: by rows that are held out of the training rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.model_selection import KFold, StratifiedKFold

from skscale._kernels import Array
from skscale.normalization._network import Batch, Examples, Networks, Schedule, train

DECAYS = (1e-2, 1e-3, 3e-3, 3e-2, 1e-1)
"""Weight decays that are tried where none is given; the first where there are no rows to try."""

FEWEST_ROWS = 10
"""Training rows below which none are held out."""

WORTHWHILE = 1e-3
"""Part of its loss by which a network has to become better, to be trained for longer."""


def candidates(weight_decay: str | float) -> Array:
    """Weight decays to choose from, the usual one first."""
    return np.array(DECAYS if weight_decay == "auto" else [weight_decay], dtype=np.float64)


def choose(
    networks: Networks,
    examples: Examples,
    splits: Sequence[tuple[Array, Array]],
    schedule: Schedule,
    patience: int,
    seed: int,
) -> tuple[int, int]:
    """Which of the networks, and after how many epochs, predicts best what was held out.

    Parameters
    ----------
    networks : Networks
        One for each weight decay.
    examples : Examples
    splits : sequence of (train, test)
        Rows to learn from and to judge by; losses are averaged over the splits.
    schedule : Schedule
    patience : int
        Training ends when no network has become better for so many epochs.
    seed : int

    Returns
    -------
    network, n_epochs : int
    """
    n_networks, n_splits = len(networks.weight_decay), len(splits)
    learned = [examples.take(train) for train, _ in splits]
    everywhere = networks._replace(weight_decay=np.tile(networks.weight_decay, n_splits))
    judged = [Batch.of([examples.take(test)], n_networks) for _, test in splits]
    best, n_epochs = np.full(n_networks, np.inf), np.zeros(n_networks, dtype=int)
    for epoch, (descent, _) in enumerate(train(everywhere, learned, schedule, seed), 1):
        tables = np.split(descent.table, n_splits)
        losses = [networks.loss(*pair) for pair in zip(tables, judged, strict=True)]
        loss = np.mean(losses, axis=0)
        better = loss < (1 - WORTHWHILE) * best
        best, n_epochs = np.where(better, loss, best), np.where(better, epoch, n_epochs)
        if (epoch - n_epochs >= patience).all():
            break
    chosen = int(np.argmin(best))
    return chosen, int(n_epochs[chosen])


def held_out_parts(
    rows: Array, labels: Array | None, n_parts: int, seed: int
) -> list[tuple[Array, Array]]:
    """Splits of training rows, each of which is held out once."""
    splitter = shuffled_parts(min(n_parts, len(rows) // 2), labels, seed)
    return list(splitter.split(rows, labels))


def shuffled_parts(n_parts: int, labels: Array | None, seed: int) -> Any:
    """A splitter into so many parts at random, with classes spread evenly where they can be."""
    is_even = labels is not None and np.unique(labels, return_counts=True)[1].min() >= n_parts
    splitter = StratifiedKFold if is_even else KFold
    return splitter(n_parts, shuffle=True, random_state=seed)

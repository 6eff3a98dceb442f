"""How much weight decay, and how many epochs: by rows that are held out of the training rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.model_selection import GroupKFold, KFold, StratifiedKFold

from skscale._kernels import Array
from skscale.normalization._network import (
    Batch,
    Descent,
    Examples,
    Networks,
    Schedule,
    one_epoch,
)

DECAYS = (1e-2, 1e-3, 3e-3, 3e-2, 1e-1)
"""Weight decays that are tried where none is given; the first where there are no rows to try."""

FEWEST_ROWS = 10
"""Training rows below which none are held out."""

REACH = 2.0
"""Way that gamma can have gone before training may end. Adam takes steps of the learning rate, and
before 1 the columns of noise cannot have left."""

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
        A network that has not become better for so many epochs is trained no longer.
    seed : int

    Returns
    -------
    network, n_epochs : int
    """
    decays, n_splits = networks.weight_decay, len(splits)
    learned = [examples.take(train) for train, _ in splits]
    held_out = [examples.take(test) for _, test in splits]
    best, n_epochs = np.full(len(decays), np.inf), np.zeros(len(decays), dtype=int)
    going_on = np.arange(len(decays))
    earliest = earliest_epoch(schedule, min(len(train) for train, _ in splits))
    random = np.random.default_rng(seed)
    descent = Descent.begin(np.tile(networks.start(random), (n_splits, 1)))
    for epoch in range(1, schedule.n_epochs + 1):
        some = networks._replace(weight_decay=decays[going_on])
        everywhere = networks._replace(weight_decay=np.tile(decays[going_on], n_splits))
        descent, _ = one_epoch(everywhere, descent, learned, schedule, epoch, random)
        tables = np.split(descent.table, n_splits)
        batches = (Batch.of([each], len(going_on)) for each in held_out)
        losses = [some.loss(*pair) for pair in zip(tables, batches, strict=True)]
        loss = np.mean(losses, axis=0)
        better = (epoch >= earliest) & (loss < (1 - WORTHWHILE) * best[going_on])
        best[going_on[better]], n_epochs[going_on[better]] = loss[better], epoch
        lasts = epoch - np.maximum(n_epochs[going_on], earliest) < patience
        if not lasts.any():
            break
        descent, going_on = descent.keep(np.tile(lasts, n_splits)), going_on[lasts]
    chosen = int(np.argmin(best))
    return chosen, int(n_epochs[chosen])


def earliest_epoch(schedule: Schedule, n_rows: int) -> int:
    """The first epoch after which gamma, beginning at 1, may have come to 0."""
    n_steps = max(1, n_rows // schedule.batch_size)
    needed = math.ceil(REACH / (schedule.learning_rate * n_steps))
    return min(needed, schedule.n_epochs)


def held_out_parts(
    rows: Array, labels: Array | None, n_parts: int, seed: int, groups: Array | None = None
) -> list[tuple[Array, Array]]:
    """Splits of training rows, each of which is held out once."""
    splitter = shuffled_parts(min(n_parts, len(rows) // 2), labels, seed, groups)
    return list(splitter.split(rows, labels, groups))


def shuffled_parts(
    n_parts: int, labels: Array | None, seed: int, groups: Array | None = None
) -> Any:
    """A splitter into so many parts at random, of whole groups, of which there are at least two.

    Without groups, classes are spread evenly where they can be.
    """
    if groups is not None:
        return GroupKFold(min(n_parts, len(np.unique(groups))), shuffle=True, random_state=seed)
    is_even = labels is not None and np.unique(labels, return_counts=True)[1].min() >= n_parts
    splitter = StratifiedKFold if is_even else KFold
    return splitter(n_parts, shuffle=True, random_state=seed)

"""Rows that `fit_transform` holds out, and rows that belong together."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils import check_array

from skscale._kernels import Array
from skscale._parameters import is_integer
from skscale._splits import Splits, read_splits
from skscale.errors import SampleWeightError, SplitError
from skscale.normalization._weight_decay import shuffled_parts


def read_groups(groups: Any, n_rows: int) -> Array | None:
    """Label of the group of every row; None where there are no groups.

    Raises
    ------
    SplitError
        Not one label per row, or a missing one.
    """
    if groups is None:
        return None
    try:
        labels: Array = check_array(groups, ensure_2d=False, dtype=None, input_name="groups")
        if labels.shape != (n_rows,):
            raise ValueError(f"got shape {labels.shape}")
        np.sort(labels)
    except (TypeError, ValueError) as error:
        raise SplitError(
            f"groups must be of shape ({n_rows},), one label for every row of X, all words or all "
            f"numbers: {error}"
        ) from error
    return labels


def is_one_group(groups: Array | None) -> bool:
    """Whether there are groups, and all rows are of one, so that none can be held out."""
    return groups is not None and len(np.unique(groups)) < 2


def folds(
    cv: Any, X: Any, outputs: Array, are_classes: bool, groups: Array | None, seed: int
) -> Splits:
    """Parts of the rows, of which each is held out once.

    Raises
    ------
    SplitError
        No splits, or such as do not hold out every row once.
    """
    n_rows, y = len(outputs), outputs[:, 0] if outputs.shape[1] == 1 else outputs
    if is_integer(cv):
        if is_one_group(groups):
            raise SplitError(
                "groups has one label only, and rows of one group are held out together: there "
                "would be none left to learn from. Pass several groups, or none."
            )
        labels = y if are_classes and y.ndim == 1 else None
        cv = shuffled_parts(min(cv, n_rows), labels, seed, groups)
    splits = read_splits(cv, n_rows, X, y, groups)
    held_out = np.concatenate([test for _, test in splits.splits])
    if not np.array_equal(np.sort(held_out), np.arange(n_rows)):
        raise SplitError(
            f"cv must hold out every row once, so that fit_transform can transform it; {cv!r} "
            f"holds out {len(np.unique(held_out))} of {n_rows} rows, in {len(held_out)} places. "
            "Give a number of folds, a splitter such as KFold, or a list of (train, test)."
        )
    return splits


def kept_weights(weights: Array | None, train: Array, test: Array, cv: Any) -> Array | None:
    """Weights of the rows that are learned from.

    Raises
    ------
    SampleWeightError
        All zero.
    """
    kept = None if weights is None else weights[train]
    if kept is not None and not kept.any():
        raise SampleWeightError(
            f"sample_weight is zero in all {len(train)} rows that are learned from while "
            f"{len(test)} are held out by cv={cv!r}. Leave out rows of weight 0, or give cv other "
            "splits."
        )
    return kept

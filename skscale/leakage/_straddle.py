"""Whether more equal rows are on both sides of a split than a random split leaves there."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import gammaln

from skscale._kernels import Array

RATE = 1e-4
"""Probability, at most, that the duplicates of a random split are called a leak."""


class Straddle(NamedTuple):
    """Rows that train and test part share.

    Parameters
    ----------
    rows : integer array
        Positions of the test rows that are among the train rows.
    in_train : float
        Share of the train rows that are there more than once: the baseline.
    expected : float
        Number of different rows on both sides after a random split, on average.
    found : int
        That number.
    p_value : float
        Probability, at most, that a random split leaves as many.
    """

    rows: Array
    in_train: float
    expected: float
    found: int
    p_value: float


def straddle(train: Array, test: Array) -> Straddle:
    """Compare two parts by the hashes of their rows.

    Given all rows, a random split into parts of these sizes leaves a row that is there c times on
    both sides with a probability that follows from the hypergeometric distribution. Rows that are
    there often always are on both sides and say nothing; pairs do by chance less than half of
    the time. The bound of the tail is Chernoff's, of independent indicators.
    """
    return straddle_counted(*np.unique(train, return_counts=True), test)


def straddle_counted(values: Array, counts: Array, test: Array) -> Straddle:
    """The same, of train rows that are counted: their different hashes, ascending, and how often.

    Parameters
    ----------
    values : array of shape (n_different,)
        Hashes, ascending.
    counts : integer array of shape (n_different,)
        Number of train rows that have each of them.
    test : array of shape (n_test,)
        Hashes of the test rows.
    """
    own, own_counts = np.unique(test, return_counts=True)
    both, here, there = np.intersect1d(values, own, assume_unique=True, return_indices=True)
    left, right = np.copy(counts), np.delete(own_counts, there)
    left[here] += own_counts[there]
    together = np.concatenate([left, right])
    sizes, number = np.unique(together[together > 1], return_counts=True)
    n_train, n_test = int(counts.sum()), len(test)
    chance = _chance(sizes, n_train, n_test)
    return Straddle(
        rows=np.flatnonzero(np.isin(test, both)),
        in_train=float(counts[counts > 1].sum() / n_train) if n_train else 0.0,
        expected=float(number @ chance),
        found=len(both),
        p_value=_tail(len(both), number, chance),
    )


def _chance(sizes: Array, n_train: int, n_test: int) -> Array:
    """Probability that equal rows, so many of them, come to lie on both sides."""
    total = n_train + n_test

    def all_on_one_side(room: int) -> Array:
        fits = sizes <= room
        chosen = np.where(fits, sizes, 0)
        log = gammaln(room + 1) - gammaln(room - chosen + 1)
        log -= gammaln(total + 1) - gammaln(total - chosen + 1)
        return np.where(fits, np.exp(log), 0.0)

    return np.clip(1 - all_on_one_side(n_train) - all_on_one_side(n_test), 0.0, 1.0)


def _tail(found: int, number: Array, chance: Array) -> float:
    """Bound of the probability that a sum of independent indicators is at least `found`."""
    if found <= number @ chance:
        return 1.0
    slopes = np.geomspace(1e-3, 300.0, 400)[:, np.newaxis]
    with np.errstate(divide="ignore"):
        log = np.logaddexp(np.log1p(-chance), np.log(chance) + slopes) @ number
    return float(np.exp(min(0.0, (log - found * slopes[:, 0]).min())))

"""Whether more equal rows are on both sides of a split than a random split leaves there."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import gammaln

from skscale._kernels import Array


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
    n_train, n_test = len(train), len(test)
    values, where = np.unique(np.concatenate([train, test]), return_inverse=True)
    where = where.ravel()
    left = np.bincount(where[:n_train], minlength=len(values))
    right = np.bincount(where[n_train:], minlength=len(values))
    rows = np.flatnonzero(left[where[n_train:]] > 0)
    repeated = left + right > 1
    sizes, number = np.unique((left + right)[repeated], return_counts=True)
    chance = _chance(sizes, n_train, n_test)
    found = int(((left > 0) & (right > 0)).sum())
    in_train = float((left[where[:n_train]] > 1).mean()) if n_train else 0.0
    expected = float(number @ chance)
    return Straddle(rows, in_train, expected, found, _tail(found, number, chance))


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

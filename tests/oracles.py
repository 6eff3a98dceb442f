"""What `transform` has to give, from exact statistics of the numbers given.

Every function takes training rows, their weights (or None) and new rows, as `check_transformer`
asks of a `truth`. Statistics are rationals, roots and eigenvectors have 120 digits; only the last
step, one difference and one product, is rounded to float64.
"""

import itertools
from fractions import Fraction

import mpmath
import numpy as np

from . import truth


def standardized(train, weights, new, *, ddof=0, with_mean=True, with_std=True):
    """``(x - mean) / std`` of every column without its missing values; std 1 for a constant one."""
    image = np.empty(new.shape)
    for column in range(new.shape[1]):
        values, shares = observed(train, weights, column)
        mean, freedom = truth.mean(values, shares), sum(shares) - truth.rational(ddof)
        square = truth.variance(values, shares) * sum(shares)
        width = square / freedom if with_std and freedom > 0 and square > 0 else Fraction(1)
        image[:, column] = affine(new[:, column], mean if with_mean else 0, width)
    return image


def interpolated(train, weights, new, *, lower=0, upper=1, clip=False):
    """The place of x between the smallest and the largest value, in ``[lower, upper]``."""
    del weights  # a positive weight does not move an extreme
    image = np.empty(new.shape)
    ends = np.broadcast_to(lower, new.shape[1]), np.broadcast_to(upper, new.shape[1])
    for column, (bottom, top) in enumerate(zip(*ends, strict=True)):
        values, _ = observed(train, None, column)
        least, width = min(values), (max(values) - min(values)) or Fraction(1)
        bottom, top = truth.rational(bottom.item()), truth.rational(top.item())
        places = [
            bottom + (top - bottom) * (truth.rational(x) - least) / width for x in new[:, column]
        ]
        image[:, column] = [float(min(max(x, bottom), top) if clip else x) for x in places]
    return image


def normalized_by_batches(train, weights, new, *, batch_size, momentum, ddof=0):
    """Debiased running averages of batch means and variances; the last takes the remainder."""
    image = np.empty(new.shape)
    new_share = truth.rational(momentum)
    starts = list(range(0, max(len(train) - batch_size, 0) + 1, batch_size))
    batches = [slice(*pair) for pair in zip(starts, [*starts[1:], len(train)], strict=True)]
    for column in range(new.shape[1]):
        sums, total = [Fraction(0), Fraction(0)], [Fraction(0), Fraction(0)]
        for batch in batches:
            part = None if weights is None else weights[batch]
            values, shares = observed(train[batch], part, column)
            if not values:
                continue
            found = [truth.mean(values, shares)]
            if len(values) > 1 and sum(shares) > ddof:
                found.append(truth.variance(values, shares, ddof))
            for kind, value in enumerate(found):
                sums[kind] = (1 - new_share) * sums[kind] + new_share * value
                total[kind] = (1 - new_share) * total[kind] + new_share
        variance = sums[1] / total[1] if total[1] else Fraction(0)
        image[:, column] = affine(new[:, column], sums[0] / total[0], variance or Fraction(1))
    return image


def normalized_rows(train, weights, new, *, epsilon=0, centred=True, groups=None):
    """``(x - mean) / sqrt(variance + epsilon)`` of every row without its missing values.

    By groups of columns if there are any; 0 where that would be 0 / 0.
    """
    del train, weights  # nothing is learned
    image = np.full(new.shape, np.nan)
    for i, columns in itertools.product(range(len(new)), groups or [range(new.shape[1])]):
        there = [j for j in columns if not np.isnan(new[i, j])]
        values = list(truth.exact(new[i, there]))
        if not values:
            continue
        mean = truth.mean(values) if centred else Fraction(0)
        square = truth.mean([(x - mean) ** 2 for x in values]) + truth.rational(epsilon)
        image[i, there] = affine(new[i, there], mean, square or Fraction(1))
    return image


def projected(train, weights, new, *, n_components=None, whiten=False):
    """Principal components; the largest entry of each direction, by magnitude, is positive."""
    centre, covariance = second_moments(train, weights, ddof=1)
    values, directions = truth.eigen(covariance)
    directions = directions[:n_components]
    for direction in directions:
        largest = max(range(len(direction)), key=lambda i: abs(direction[i]))
        direction *= mpmath.sign(direction[largest])
    if whiten:
        with mpmath.workdps(truth.PRECISION):
            directions = np.array(
                [d / mpmath.sqrt(v) for d, v in zip(directions, values, strict=False)]
            )
    return deviations(new, centre) @ directions.astype(np.float64).T


def whitened(train, weights, new, *, method, ddof=1):
    """The five whitening maps of Kessy, Lewin and Strimmer (2018), table 1."""
    centre, covariance = second_moments(train, weights, ddof)
    with mpmath.workdps(truth.PRECISION):
        scale = mpmath.diag([1 / mpmath.sqrt(covariance[i, i]) for i in range(covariance.rows)])
        if method == "cholesky":
            matrix = mpmath.cholesky(covariance**-1).T
        else:
            correlated = method.endswith("cor")
            values, directions = truth.eigen(
                scale * covariance * scale if correlated else covariance
            )
            for direction in directions:
                largest = max(range(len(direction)), key=lambda i: abs(direction[i]))
                direction *= mpmath.sign(direction[largest])
            directions = mpmath.matrix(directions.tolist())
            matrix = mpmath.diag([1 / mpmath.sqrt(value) for value in values]) * directions
            if method.startswith("zca"):
                matrix = directions.T * matrix
            if correlated:
                matrix = matrix * scale
    return deviations(new, centre) @ truth.array(matrix).astype(np.float64).T


def observed(rows, weights, column):
    """Values of a column and their weights, as rationals, without the missing ones."""
    there = ~np.isnan(rows[:, column])
    values = list(truth.exact(rows[there, column]))
    if weights is None:
        return values, [Fraction(1)] * len(values)
    return values, list(truth.exact(np.asarray(weights)[there]))


def affine(values, mean, variance):
    """``(x - mean) / sqrt(variance)``, the difference and the root each rounded once."""
    width = float(truth.root(variance))
    return [np.nan if np.isnan(x) else float(truth.rational(x) - mean) / width for x in values]


def second_moments(rows, weights, ddof):
    weights = np.ones(len(rows)) if weights is None else weights
    weights = list(truth.exact(np.asarray(weights)))
    return truth.means(rows, weights), truth.matrix(truth.covariance(rows, ddof, weights))


def deviations(rows, centre):
    return (truth.exact(rows) - centre).astype(np.float64)

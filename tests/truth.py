"""What is true of given numbers: exact rationals, and roots and eigenvectors to 120 digits.

Every float is a rational number, so means, variances, scatter matrices and running averages
have exact values; what is irrational (square roots, eigenvalues, whitening maps) is computed
by mpmath from them. Nothing here calls the package, numpy's arithmetic or scikit-learn.
"""

from fractions import Fraction
from math import log10

import mpmath
import numpy as np

PRECISION = 120
"""Decimal digits of mpmath: twice what a condition of 1e12, squared, could cost, and more."""

PERFECT = 17.0
"""Digits of a number without error, so that a minimum of digits is a number."""


def exact(values):
    """Numbers of an array of any shape and dtype as rationals, in an object array."""
    values = np.asarray(values)
    rationals = np.empty(values.shape, dtype=object)
    for place in np.ndindex(values.shape):
        rationals[place] = rational(values[place])
    return rationals


def rational(value):
    if isinstance(value, Fraction):
        return value
    if isinstance(value, (int, np.integer)):
        return Fraction(int(value))
    return Fraction(*value.as_integer_ratio())


def real(value):
    """A rational as an mpmath number."""
    if isinstance(value, Fraction):
        with mpmath.workdps(PRECISION):
            return mpmath.mpf(value.numerator) / value.denominator
    return mpmath.mpf(value)


def root(value):
    with mpmath.workdps(PRECISION):
        return mpmath.sqrt(real(value))


def digits(got, truth, scale=None):
    """Correct decimal digits, the fewest of all elements: minus log10 of the relative error.

    Parameters
    ----------
    got : float or array
        Computed numbers.
    truth : rational, mpmath number or array of them
        Of the shape of `got`.
    scale : like `truth`, optional
        What the error is relative to; the truth itself by default.
    """
    return float(np.min(digits_of_each(got, truth, scale)))


def digits_of_each(got, truth, scale=None):
    got, truth = np.atleast_1d(got), np.atleast_1d(np.asarray(truth, dtype=object))
    assert got.shape == truth.shape, (got.shape, truth.shape)
    scales = truth if scale is None else np.broadcast_to(np.asarray(scale, dtype=object), got.shape)
    found = np.empty(got.shape)
    with mpmath.workdps(PRECISION):
        for place in np.ndindex(got.shape):
            if not np.isfinite(got[place]):
                found[place] = -np.inf
                continue
            error = abs(real(rational(got[place])) - real(truth[place]))
            size = abs(real(scales[place]))
            if error == 0:
                found[place] = PERFECT
            elif size == 0:
                found[place] = -np.inf
            else:
                found[place] = min(PERFECT, -float(mpmath.log10(error / size)))
    return found


def mean(column, weights=None):
    """Weighted mean of a sequence of rationals."""
    if weights is None:
        return sum(column, Fraction(0)) / len(column)
    return sum(map(times, weights, column), Fraction(0)) / sum(weights, Fraction(0))


def variance(column, weights=None, ddof=0):
    """Weighted second central moment of rationals, divided by the total weight less `ddof`."""
    weights = [Fraction(1)] * len(column) if weights is None else weights
    centre = mean(column, weights)
    squares = sum(
        (w * (x - centre) ** 2 for w, x in zip(weights, column, strict=True)), Fraction(0)
    )
    return squares / (sum(weights, Fraction(0)) - rational(ddof))


def means(rows, weights=None):
    return np.array([mean(column, weights) for column in exact(rows).T], dtype=object)


def variances(rows, weights=None, ddof=0):
    return np.array([variance(column, weights, ddof) for column in exact(rows).T], dtype=object)


def times(a, b):
    return a * b


def z_scores(column):
    """``(x - mean) / std`` to 120 digits."""
    column = exact(column)
    centre, width = mean(column), root(variance(column))
    with mpmath.workdps(PRECISION):
        return np.array([real(x - centre) / width for x in column], dtype=object)


def positions(column):
    """``(x - min) / (max - min)`` as rationals."""
    column = exact(column)
    low, high = min(column), max(column)
    return np.array([(x - low) / (high - low) for x in column], dtype=object)


def running(batches, momentum, ddof=0):
    """Debiased running average of batch means and batch variances of one column.

    ``new = (1 - momentum) old + momentum batch`` from zero, divided by the weight the batches
    have in it; a batch of one value has a mean and no variance. "cumulative" is the plain average.
    """
    if momentum == "cumulative":
        batches = [list(exact(batch)) for batch in batches]
        variances = [variance(batch, ddof=ddof) for batch in batches if len(batch) > max(1, ddof)]
        return mean([mean(batch) for batch in batches]), mean(variances or [Fraction(0)])
    momentum = rational(momentum)
    average, average_weight = Fraction(0), Fraction(0)
    spread, spread_weight = Fraction(0), Fraction(0)
    for batch in batches:
        batch = list(exact(batch))
        average = (1 - momentum) * average + momentum * mean(batch)
        average_weight = (1 - momentum) * average_weight + momentum
        if len(batch) > max(1, ddof):
            spread = (1 - momentum) * spread + momentum * variance(batch, ddof=ddof)
            spread_weight = (1 - momentum) * spread_weight + momentum
    return average / average_weight, spread / spread_weight if spread_weight else Fraction(0)


# Matrices -------------------------------------------------------------------------------


def centred(rows, weights=None):
    """Rows less their mean, as rationals."""
    return exact(rows) - means(rows, weights)


def scatter(rows, weights=None):
    """Sum of products of the centred rows, as rationals."""
    deviation = centred(rows, weights)
    weighted = deviation if weights is None else deviation * np.asarray(weights, object)[:, None]
    return weighted.T.dot(deviation)


def covariance(rows, ddof=1, weights=None):
    total = Fraction(len(rows)) if weights is None else sum(weights, Fraction(0))
    return scatter(rows, weights) / (total - ddof)


def matrix(rationals):
    """A square object array as an mpmath matrix."""
    with mpmath.workdps(PRECISION):
        return mpmath.matrix([[real(x) for x in row] for row in rationals])


def array(of_mpmath):
    """An mpmath matrix as an object array."""
    return np.array(of_mpmath.tolist(), dtype=object).reshape(of_mpmath.rows, of_mpmath.cols)


def eigen(symmetric):
    """Eigenvalues, descending, and eigenvectors as rows, of a symmetric mpmath matrix."""
    with mpmath.workdps(PRECISION):
        values, vectors = mpmath.eigsy(symmetric)
    order = sorted(range(len(values)), key=lambda i: values[i], reverse=True)
    values = np.array([values[i] for i in order], dtype=object)
    return values, array(vectors).T[order]


def singular_values(rows, weights=None):
    """Singular values of the centred rows, descending."""
    values, _ = eigen(matrix(scatter(rows, weights)))
    return np.array([root(max(value, 0)) for value in values], dtype=object)


def whitening(rows, method, ddof=1):
    """The five whitening maps of Kessy, Lewin and Strimmer (2018), by their definitions."""
    S = matrix(covariance(rows, ddof))
    p = S.rows
    with mpmath.workdps(PRECISION):
        scale = mpmath.diag([1 / mpmath.sqrt(S[i, i]) for i in range(p)])
        if method == "cholesky":
            return array(mpmath.cholesky(mpmath.inverse(S)).T)
        root_of = scale * S * scale if method.endswith("cor") else S
        values, vectors = eigen(root_of)
        U = mpmath.matrix(vectors.tolist())
        for k in range(p):  # the sign that makes the largest entry positive
            largest = max(range(p), key=lambda i: abs(U[k, i]))
            if U[k, largest] < 0:
                U[k, :] = -U[k, :]
        W = mpmath.diag([1 / mpmath.sqrt(value) for value in values]) * U
        if method.startswith("zca"):
            W = U.T * W
        return array(W * scale if method.endswith("cor") else W)


def ledoit_wolf(rows):
    """Shrinkage intensity by its definition (Ledoit and Wolf 2004, section 3.3)."""
    deviation = centred(rows)
    n, p = deviation.shape
    S = deviation.T.dot(deviation) / Fraction(n)
    mu = np.trace(S) / p
    dispersion = ((S - mu * np.eye(p, dtype=int)) ** 2).sum()
    noise = sum(((np.outer(y, y) - S) ** 2).sum() for y in deviation) / Fraction(n) ** 2
    return min(noise, dispersion) / dispersion


def oas(rows):
    """Shrinkage intensity of Chen et al. (2010), eq. 23, in scikit-learn's form."""
    S = covariance(rows, ddof=0)
    n, p = len(rows), len(S)
    square, mu = (S**2).sum() / p**2, np.trace(S) / p
    return min(Fraction(1), (square + mu**2) / ((n + 1) * (square - mu**2 / p)))


def tolerance(c, condition=1.0):
    """Digits that ``c * eps * condition`` leaves."""
    return -log10(c * np.finfo(np.float64).eps * condition)

"""From a statistic to a model: axes, signs, ranks, roots and shrinkage, as pure functions."""

from __future__ import annotations

from functools import partial
from math import lgamma, log, pi
from typing import Any, NamedTuple

import numpy as np
from scipy import linalg
from scipy.linalg import lapack
from scipy.sparse.linalg import svds
from sklearn.utils.extmath import randomized_svd

from skscale._kernels import Array

EPSILON = float(np.finfo(np.float64).eps)

MOST_ROWS = 2.0**26
"""Rows from which rounding errors are taken to cancel rather than to add up."""

WEAK = 2.0**-5
"""Singular values below this part of the first lose digits to `eigh`, which squares them."""

FAR = 0.45
"""Part of the largest squared distance from a span from which a coordinate axis is far from it.

It is no simple fraction, such as distances from structured spans are, so that rounding does not
decide. So is `LEFT`.
"""

LEFT = 0.3
"""Part of the largest squared distance that is to be left of an axis when others are taken."""

TIED = 2.0**-20
"""Entries of an axis that differ by so small a part may be equal but for rounding."""

PANEL = 64
"""Axes that are chosen together, so that the work is in products of matrices."""


class Axes(NamedTuple):
    """Principal axes of centred rows.

    Parameters
    ----------
    singular_values : array of shape (k,)
        Descending, in units of ``2**exponent``.
    exponent : int
        Zero unless the values are beyond the ordinary range.
    components : array of shape (k, n_features)
        Orthonormal rows.
    floor : float
        Part of the first singular value below which the others are rounding noise, for the
        algorithm that found them.
    """

    singular_values: Array
    exponent: int
    components: Array
    floor: float


def eigen_axes(scatter: Array, n_rows: float) -> Axes:
    """Axes from a centred scatter matrix, by a symmetric eigendecomposition."""
    values, vectors = np.linalg.eigh(scatter)  # scipy's would not let other threads work
    values, vectors = values[::-1], vectors[:, ::-1]
    # Rounding leaves eigenvalues of the order of eps times the first, of either sign.
    floor = np.sqrt(4 * len(values) * EPSILON)
    return Axes(
        np.sqrt(np.maximum(values, 0.0)),
        0,
        fix_signs(vectors.T),
        max(floor, rank_tolerance(n_rows, len(values))),
    )


def singular_axes(triangle: Array, n_rows: float, k: int | None = None) -> Axes:
    """Axes from rows with the right scatter matrix, by a singular value decomposition.

    All singular values are found, and the first `k` components.
    """
    tolerance = rank_tolerance(n_rows, triangle.shape[1])
    height, n_features = triangle.shape
    if min(height, n_features) == 0:
        return Axes(np.zeros(0), 0, np.zeros((0, n_features)), tolerance)
    if n_features < 2 * height:
        _, values, components = _svd(triangle)
        return Axes(values, 0, fix_signs(components[:k]), tolerance)
    # Columns become rows of a factorization, and only those of Q that are wanted are formed.
    rows = np.array(triangle.T, order="F")
    work, _ = lapack.dgeqrf_lwork(*rows.shape)
    rows, reflectors, _, _ = lapack.dgeqrf(rows, lwork=int(work), overwrite_a=1)
    left, values, _ = _svd(np.triu(rows[:height]))
    wanted = np.zeros((n_features, height if k is None else max(1, min(k, height))), order="F")
    wanted[:height] = left[:, : wanted.shape[1]]
    apply = partial(lapack.dormqr, "L", "N", rows, reflectors, wanted)
    components, _, _ = apply(lwork=int(apply(lwork=-1)[1][0]), overwrite_c=1)
    return Axes(values, 0, fix_signs(components.T)[:k], tolerance)


def gram_axes(triangle: Array, n_rows: float, k: int) -> Axes | None:
    """All singular values and the first `k` axes of wide rows, from the products of the rows.

    None where a wanted axis, or the mean square of the rest, is too weak for squares.
    """
    k = min(k, len(triangle))
    values, left = np.linalg.eigh(triangle @ triangle.T)
    values, left = np.maximum(values[::-1], 0.0), left[:, ::-1]
    weakest = min([*values[k - 1 : k], *([values[k:].mean()] if k < len(values) else [])])
    if weakest < WEAK**2 * values[0] or weakest == 0:
        return None
    components = (left[:, :k].T @ triangle) / np.sqrt(values[:k])[:, np.newaxis]
    # One Newton step: the products lost orthogonality to the squares, not to rounding alone.
    components = 1.5 * components - (0.5 * (components @ components.T)) @ components
    tolerance = rank_tolerance(n_rows, triangle.shape[1])
    return Axes(np.sqrt(values), 0, fix_signs(components), tolerance)


def _svd(matrix: Array) -> tuple[Array, Array, Array]:
    try:
        found = linalg.svd(matrix, full_matrices=False, check_finite=False)
    except linalg.LinAlgError:  # divide and conquer may fail where QR iteration does not
        found = linalg.svd(matrix, full_matrices=False, check_finite=False, lapack_driver="gesvd")
    return found


def arpack_axes(triangle: Array, n_rows: float, k: int, tol: float, random_state: Any) -> Axes:
    """The first k axes by the implicitly restarted Lanczos method (ARPACK)."""
    krylov = max(2 * k + 1, 20)
    if krylov >= min(triangle.shape):  # the search space is the whole space
        return singular_axes(triangle, n_rows)
    start = random_state.uniform(-1, 1, min(triangle.shape))
    _, values, components = svds(triangle, k=k, ncv=krylov, tol=tol, v0=start)
    order = np.argsort(values)[::-1]
    tolerance = rank_tolerance(n_rows, triangle.shape[1])
    return Axes(values[order], 0, fix_signs(components[order]), tolerance)


def randomized_axes(triangle: Array, n_rows: float, k: int, **options: Any) -> Axes:
    """The first k axes by a randomized range finder (Halko, Martinsson and Tropp 2011).

    The subspace found is turned to its own principal axes, so that the singular values are the
    norms of the rows along these components, and the scores are not correlated.
    """
    if k + options["n_oversamples"] >= min(triangle.shape):  # the range is the whole space
        return singular_axes(triangle, n_rows)
    # The random matrix multiplies columns: rows may be rotated, as merges do, and nothing changes.
    _, _, basis = randomized_svd(triangle, k, flip_sign=False, transpose=False, **options)
    _, values, turn = linalg.svd(triangle @ basis.T, full_matrices=False, check_finite=False)
    tolerance = rank_tolerance(n_rows, triangle.shape[1])
    return Axes(values, 0, fix_signs(turn @ basis), tolerance)


def rank_tolerance(n_rows: float, n_features: int, epsilon: float = EPSILON) -> float:
    """Part of the largest singular value that counts as zero: ``max(n, p) eps``.

    The number of rows is known as the sum of their weights, which may be any number: beyond
    `MOST_ROWS` it says nothing about rounding.
    """
    return float(max(min(n_rows, MOST_ROWS), n_features)) * epsilon


def rank(axes: Axes, tolerance: float) -> int:
    """Number of singular values above `tolerance` times the first."""
    values = axes.singular_values
    if len(values) == 0 or values[0] == 0:
        return 0
    return int(np.count_nonzero(values > tolerance * values[0]))


def fix_signs(components: Array) -> Array:
    """Rows turned so that the largest entry of each, by magnitude, is positive.

    Of several that are largest but for rounding, the first decides.
    """
    if components.size == 0:
        return components
    magnitudes = np.abs(components)
    bounds = (1 - TIED) * magnitudes.max(axis=1, keepdims=True)
    largest = np.argmax(magnitudes >= bounds, axis=1)
    signs = np.sign(components[np.arange(len(components)), largest])
    return components * np.where(signs == 0, 1.0, signs)[:, np.newaxis]


def pad(axes: Axes, k: int) -> Axes:
    """The first k axes, missing ones as rows of zeros."""
    n_missing = max(k - len(axes.singular_values), 0)
    if n_missing == 0:
        return axes._replace(
            singular_values=axes.singular_values[:k], components=axes.components[:k]
        )
    return axes._replace(
        singular_values=np.pad(axes.singular_values, (0, n_missing))[:k],
        components=np.pad(axes.components, ((0, n_missing), (0, 0)))[:k],
    )


def complete(axes: Axes, k: int) -> Axes:
    """The first k axes, those of the noise chosen by rule.

    Rounding turns the axes whose singular values are noise in any direction orthogonal to the
    others. They are replaced, and missing ones added, by coordinate axes made orthogonal to the
    span so far, those first that are about as far from it as any (see `_farthest`): the same
    choice on any machine and for any batches.
    """
    n_features = axes.components.shape[1]
    n_axes = min(k, n_features)
    n_signal = min(rank(axes, axes.floor), n_axes)
    if n_signal == n_axes:
        return axes._replace(components=axes.components[:n_axes])
    values = np.pad(axes.singular_values, (0, max(n_axes - len(axes.singular_values), 0)))
    components = np.zeros((n_axes, n_features))
    components[:n_signal] = axes.components[:n_signal]
    outside = 1.0 - np.einsum("ij,ij->j", components[:n_signal], components[:n_signal])
    found = n_signal
    while found < n_axes:
        added = _farthest(components[:found], outside, n_axes - found)
        components[found : found + len(added)] = added
        outside -= np.einsum("ij,ij->j", added, added)
        found += len(added)
    return axes._replace(singular_values=values, components=components)


def _farthest(before: Array, outside: Array, most: int) -> Array:
    """Up to `most` coordinate axes, made orthogonal to the axes `before` and to one another.

    Going through those in order whose squared distance from the span is at least `FAR` of the
    largest one, an axis is taken if, of that part, `LEFT` is orthogonal to the ones just taken.

    Parameters
    ----------
    before : array of shape (k, n_features)
        Orthonormal rows, k < n_features.
    outside : array of shape (n_features,)
        Squared distances of the coordinate axes from their span.
    most : int
        At least 1.
    """
    largest = outside.max()
    candidates = np.flatnonzero(outside >= FAR * largest)[: min(most, PANEL)]
    products = -(before[:, candidates].T @ before[:, candidates])
    products[np.diag_indices(len(candidates))] += 1.0
    taken = []
    for i in range(len(candidates)):
        rest = products[i, i]
        if rest >= LEFT * largest:
            products -= np.outer(products[i] / rest, products[i])
            taken.append(candidates[i])
    added = -(before[:, taken].T @ before)
    added[np.arange(len(taken)), taken] += 1.0
    added = _orthonormal(added)
    added = _orthonormal(added - (added @ before.T) @ before)  # twice is enough
    # Which of two entries is larger is not left to rounding either: the first one counts.
    sizes = np.abs(added)
    first = np.argmax(sizes >= (1 - 1e-9) * sizes.max(axis=1, keepdims=True), axis=1)
    return added * np.sign(added[np.arange(len(taken)), first])[:, np.newaxis]


def _orthonormal(rows: Array) -> Array:
    """Gram-Schmidt of rows far from dependent, by the Cholesky factor of their products."""
    lower = linalg.cholesky(rows @ rows.T, lower=True, check_finite=False)
    return linalg.solve_triangular(lower, rows, lower=True, check_finite=False)


def count_components(ratio: Array, share: float) -> int:
    """Fewest components that explain more than `share` of the variance.

    A cumulative share that is `share` but for rounding does not explain more.
    """
    rounding = 64 * EPSILON
    return min(
        int(np.searchsorted(np.cumsum(ratio), share + rounding, side="right")) + 1, len(ratio)
    )


def infer_dimension(variance: Array, n_rows: float) -> int:
    """Most likely number of components of Gaussian data, between 1 and ``len(variance) - 1``.

    References
    ----------
    Minka, T. P. (2000). Automatic choice of dimensionality for PCA. NIPS 13, eq. 80.
    """
    # The evidence for one number against another does not depend on the unit.
    variance = variance / (variance[0] if len(variance) and variance[0] > 0 else 1.0)
    evidence = [log_evidence(variance, k, n_rows) for k in range(1, len(variance))]
    return 1 + int(np.argmax(evidence)) if evidence else len(variance)


def log_evidence(variance: Array, k: int, n_rows: float) -> float:
    """Laplace approximation of the log evidence that `k` components carry the signal."""
    smallest = 1e-15
    p = len(variance)
    if variance[k - 1] < smallest:
        return -np.inf
    noise = max(smallest, float(variance[k:].mean()))
    smoothed = np.concatenate([variance[:k], np.full(p - k, noise)])
    subspaces = -k * log(2) + sum(lgamma((p - i) / 2) - log(pi) * (p - i) / 2 for i in range(k))
    fit = -n_rows / 2 * (np.log(variance[:k]).sum() + log(noise) * (p - k))
    parameters = p * k - k * (k + 1) / 2
    i, j = np.triu_indices(p, 1)
    i, j = i[i < k], j[i < k]
    with np.errstate(divide="ignore", invalid="ignore"):
        gaps = (variance[i] - variance[j]) * (1 / smoothed[j] - 1 / smoothed[i])
        hessian = np.log(gaps).sum() + len(gaps) * log(n_rows)
    volume = log(2 * pi) * (parameters + k) / 2 - hessian / 2 - k * log(n_rows) / 2
    return float(subspaces + fit + volume)


def oas_intensity(variance: Array, n_features: int, n_rows: float) -> float:
    """Weight of the multiple of the identity, oracle approximating shrinkage.

    References
    ----------
    Chen, Y., Wiesel, A., Eldar, Y. C. and Hero, A. O. (2010). Shrinkage algorithms for MMSE
    covariance estimation. IEEE Transactions on Signal Processing 58, 5016-5029, eq. 23, in
    the form that scikit-learn uses.
    """
    square = float((variance**2).sum()) / n_features**2
    mean_square = (float(variance.sum()) / n_features) ** 2
    denominator = (n_rows + 1) * (square - mean_square / n_features)
    return 1.0 if denominator == 0 else float(min((square + mean_square) / denominator, 1.0))


def ledoit_wolf_intensity(scatter: Array, quartic: float, n_rows: float) -> float:
    """Weight of the multiple of the identity that minimizes the expected squared error.

    References
    ----------
    Ledoit, O. and Wolf, M. (2004). A well-conditioned estimator for large-dimensional
    covariance matrices. Journal of Multivariate Analysis 88, 365-411, section 3.3.
    """
    n_features = len(scatter)
    covariance = scatter / n_rows
    square = float((covariance**2).sum())
    mean = float(np.trace(covariance)) / n_features
    dispersion = square - n_features * mean**2
    noise = max(0.0, quartic / n_rows - square) / n_rows
    return 0.0 if dispersion <= 0 or noise == 0 else min(noise / dispersion, 1.0)

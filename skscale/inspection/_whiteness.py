"""What the covariance of white rows is, how far another is from it, and which filters there are."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from skscale._kernels import Array
from skscale.errors import InvalidParameterError
from skscale.inspection._drawing import plural
from skscale.inspection._steps import last_step

WHITE = 1e-3
"""Covariances that are no further than this from those of white rows are called white."""

N_FILTERS = 16
"""Filters that are shown, at most."""

EMPTY = 1e-10
"""Filters whose weights are all below this part of the largest of any are rounding noise."""


class Expected(NamedTuple):
    """Covariance of the rows that a whitener learned from, and why it is not the identity."""

    covariance: Array | None
    remark: str


def expected(step: Any, n_columns: int, shown: Array) -> Expected:
    """What a fitted whitener is to make of the covariance of its training rows.

    ``whitening_ @ coloring_`` is the projector on the directions that were kept: the identity but
    for the rest of the diagonal where columns are turned ("pca", "cholesky"), any projector for
    "zca". Of what is damped there is no such matrix.

    Parameters
    ----------
    step : transformer
        What made the columns.
    n_columns : int
        How many it made.
    shown : ndarray of shape (n_shown,), int
        Those that are shown.
    """
    chosen = [
        f"{name}={value:.3g}"
        for name in ("epsilon", "shrinkage")
        if (value := _damping(step, name)) > 0
    ]
    if chosen:
        return Expected(None, f"by choice: {', '.join(chosen)}")
    whitening, coloring = (getattr(step, name, None) for name in ("whitening_", "coloring_"))
    if whitening is None or coloring is None or len(whitening) != n_columns:
        return Expected(None, "")
    with np.errstate(over="ignore", invalid="ignore"):
        diagonal = np.einsum("ij,ji->i", whitening, coloring)
        covariance = whitening[shown] @ coloring[:, shown]
    if not (np.isfinite(diagonal).all() and np.isfinite(covariance).all()):
        return Expected(None, "")  # units at the ends of the range of float64
    n_lost = int(np.count_nonzero(diagonal < 0.5 / n_columns))
    if n_columns - step.rank_ == n_lost:
        return Expected(covariance, constant_columns(n_lost, n_columns))
    return Expected(covariance, f"in {step.rank_:,} of {n_columns:,} directions")


def _damping(step: Any, name: str) -> float:
    """A parameter of a whitener that makes its rows less than white; `shrinkage_` as learned."""
    if not hasattr(step, "whitening_"):
        return 0.0
    value = getattr(step, f"{name}_", getattr(step, name, 0.0))
    return float(value) if isinstance(value, int | float) else 0.0


def constant_columns(number: int, n_columns: int) -> str:
    """What is to be said of columns without variance."""
    if number == n_columns > 0:
        return "all columns are constant"
    return f"but for {plural(number, 'constant column')}" if number else ""


def without_constants(covariance: Array) -> Array:
    """Covariance of white rows in as many columns, where some of them are constant."""
    deviation = np.sqrt(np.diagonal(covariance))
    noise = len(covariance) * np.finfo(np.float64).eps * deviation.max(initial=0.0)
    return np.diag((deviation > noise).astype(np.float64))


def verdict(distance: float) -> str:
    """A distance from the covariance of white rows, in words."""
    if distance == 0:
        return "white"
    return f"white to {distance:.1g}" if distance < WHITE else f"up to {distance:.2g} off white"


def spread_out(number: int, most: int | None) -> Array:
    """Positions from the first to the last at even distances, at most so many."""
    if most is None or number <= most:
        return np.arange(number)
    return np.linspace(0, number - 1, most).astype(np.intp)


def filters_of(
    display: str, estimator: Any, image_shape: tuple[int, int]
) -> tuple[Array, list[int]]:
    """Rows of the matrix that whitens, as images, and which of them; none that is empty."""
    step, _ = last_step(
        display,
        estimator,
        lambda each: hasattr(each, "whitening_") or hasattr(each, "components_"),
        "filters, of a fitted Whitener or PCA, or of a Pipeline with one",
    )
    matrix = np.asarray(step.whitening_ if hasattr(step, "whitening_") else step.components_)
    if matrix.shape[1] != np.prod(image_shape):
        raise InvalidParameterError(
            f"image_shape is {image_shape}, of {np.prod(image_shape)} pixels, and the rows of the "
            f"matrix have {matrix.shape[1]}: pass the height and width of the images that were "
            "learned from."
        )
    largest = np.abs(matrix).max(axis=1, initial=0.0)
    filled = np.flatnonzero(largest > EMPTY * largest.max(initial=0.0))
    if str(getattr(step, "method", "pca")).startswith("pca"):
        chosen = filled[:N_FILTERS]
    else:
        chosen = filled[spread_out(len(filled), N_FILTERS)]
    return matrix[chosen].reshape(len(chosen), *image_shape), chosen.tolist()

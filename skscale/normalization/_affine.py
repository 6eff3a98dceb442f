"""Gamma and beta as they are given to a normalizer."""

from __future__ import annotations

from typing import Any

import numpy as np

from skscale._kernels import Array
from skscale._parameters import per_column
from skscale.errors import InvalidParameterError


def affine_parameters(
    owner: str, affine: tuple[Any, Any] | None, n_features: int, where: str = ""
) -> tuple[Array, Array]:
    """Gamma and beta for every column, ``(1, 0)`` for None.

    Raises
    ------
    InvalidParameterError
        Not finite numbers, or not one per column; naming the `owner` of the parameter.
    """
    try:
        gamma, beta = (
            per_column(np.asarray(part, dtype=np.float64), n_features).copy()
            for part in ((1.0, 0.0) if affine is None else affine)
        )
        is_finite = bool(np.isfinite(gamma).all() and np.isfinite(beta).all())
    except (TypeError, ValueError):
        is_finite = False
    if not is_finite:
        raise InvalidParameterError(
            f"The 'affine' parameter of {owner} must be a tuple (gamma, beta){where}, each a "
            f"finite number or {n_features} of them, one per column. Got {affine!r} instead."
        )
    return gamma, beta

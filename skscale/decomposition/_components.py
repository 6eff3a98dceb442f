"""How many components, and by which solver: what the parameters of PCA mean for a shape."""

from __future__ import annotations

from typing import Any

import numpy as np

from skscale import _linalg as linalg
from skscale._kernels import Array
from skscale._parameters import Rule, is_integer, is_real
from skscale.errors import InvalidParameterError

EXACT = 1000
"""Up to this many rows or columns "auto" finds all components rather than guess some."""

n_components_rule = Rule(
    "an int of at least 0, a float in (0, 1), 'mle'",
    lambda value: bool(
        (isinstance(value, str) and value == "mle")
        or (is_integer(value) and value >= 0)
        or (is_real(value) and 0 < value < 1)
    ),
)


def choose_solver(
    n_components: Any, n_rows: float, n_features: int, is_partial: bool, is_sparse: bool
) -> str:
    """What "auto" stands for."""
    if is_sparse and (n_components is None or is_integer(n_components)):
        return "arpack"
    if n_features <= EXACT and n_rows >= 10 * n_features and not is_partial:
        return "covariance_eigh"
    smaller = min(n_rows, n_features)
    if smaller > EXACT and is_integer(n_components) and 1 <= n_components < 0.8 * smaller:
        return "randomized"
    return "full"


def check_components(n_components: Any, n_rows: float, n_features: int, solver: str) -> None:
    """Compare `n_components` with the shape of the rows.

    Raises
    ------
    InvalidParameterError
        More components than the rows have, or a choice the solver cannot make.
    """
    if n_components is None:
        return
    least = 1 if solver in ("arpack", "randomized") else 0
    smaller = int(min(n_rows, n_features))
    among = f"min(n_samples, n_features)={smaller} with svd_solver={solver!r}"
    if n_components == "mle":
        if least:
            complaint = f"n_components='mle' cannot be a string with svd_solver={solver!r}"
        elif n_rows < n_features:
            complaint = "n_components='mle' is only supported if n_samples >= n_features"
        else:
            return
    elif not least <= n_components <= smaller:
        complaint = f"n_components={n_components!r} must be between {least} and {among}"
    elif solver == "arpack" and n_components == smaller:
        complaint = f"n_components={n_components!r} must be strictly less than {among}"
    else:
        return
    shape = f"n_features={n_features}"
    if not np.isinf(n_rows):
        shape = f"n_samples={n_rows:g} and {shape}"
    raise InvalidParameterError(
        f"{complaint}, and there are {shape}. Choose fewer components, or None for as many as "
        "there are."
    )


def resolve_components(n_components: Any, solver: str, variance: Array, n_rows: float) -> int:
    """Number of components to keep, given the variances along all that can be kept."""
    if n_components is None:
        return max(1, len(variance) - (solver == "arpack"))
    if n_components == "mle":
        return linalg.infer_dimension(variance, n_rows)
    if is_integer(n_components):
        return min(int(n_components), len(variance))
    total = variance.sum()
    return linalg.count_components(variance / (total if total > 0 else 1.0), float(n_components))

"""What the functions take: rows as floats, one number per feature, groups; or an error."""

from __future__ import annotations

from typing import Any

import numpy as np

from skscale._kernels import Array
from skscale._parameters import is_real
from skscale.errors import InvalidParameterError


def invalid(function: str, argument: str, expected: str, given: str) -> InvalidParameterError:
    """Error for an argument: what was expected, and what was given."""
    return InvalidParameterError(
        f"The {argument!r} argument of {function} must be {expected}. Got {given} instead."
    )


def shown(value: Any) -> str:
    """Return an array as its shape, and anything else as it is."""
    return f"an array of shape {value.shape}" if isinstance(value, np.ndarray) else repr(value)


def floats(function: str, argument: str, value: Any) -> Array:
    """Numbers as float32 or float64, which are not copied."""
    try:
        value = np.asarray(value)
    except ValueError:
        raise invalid(function, argument, "an array of numbers", "nested sequences") from None
    if value.dtype.kind not in "fiub":
        raise invalid(function, argument, "an array of real numbers", f"dtype {value.dtype}")
    kept = value.dtype in (np.float64, np.float32) and value.dtype.isnative
    return value if kept else value.astype(np.float64)


def batch(function: str, X: Any) -> Array:
    """Rows, or rows of time steps: at least one of each, and one feature."""
    X = floats(function, "X", X)
    if X.ndim not in (2, 3):
        expected = "of shape (n, features) or (n, time, features)"
        raise invalid(function, "X", expected, f"an array of shape {X.shape}")
    if X.size == 0:
        expected = "a batch of at least one row, time step and feature"
        raise invalid(function, "X", expected, f"an array of shape {X.shape}")
    return X


def gradient(function: str, dY: Any, shape: tuple[int, ...]) -> Array:
    """Return the gradient with respect to an output of this shape."""
    name = "dW" if function.startswith("weight") else "dY"
    dY = floats(function, name, dY)
    if dY.shape != shape:
        expected = f"of the shape of the output, {shape}"
        raise invalid(function, name, expected, f"an array of shape {dY.shape}")
    return dY


def per_feature(function: str, argument: str, value: Any, n_features: int, fill: float) -> Array:
    """One number for each feature: `fill` for None."""
    if value is None:
        return np.full(n_features, fill)
    value = np.array(floats(function, argument, value), dtype=np.float64)
    if value.shape != (n_features,):
        expected = f"None or of shape ({n_features},), one number per feature"
        raise invalid(function, argument, expected, shown(value))
    return value


def affine(function: str, gamma: Any, beta: Any, n_features: int) -> tuple[Array, Array]:
    """Scale and shift of every feature."""
    return (
        per_feature(function, "gamma", gamma, n_features, 1.0),
        per_feature(function, "beta", beta, n_features, 0.0),
    )


def number(function: str, argument: str, value: Any, at_least: float) -> float:
    """Return a finite number of at least so much."""
    if not is_real(value) or not at_least <= value < np.inf:
        raise invalid(function, argument, f"a number of at least {at_least:g}", repr(value))
    return float(value)


def positive(function: str, epsilon: Any) -> float:
    """Return an epsilon above zero."""
    if not is_real(epsilon) or not 0 < epsilon < np.inf:
        raise invalid(function, "epsilon", "a positive number", repr(epsilon))
    return float(epsilon)


def known(function: str, mean: Any, var: Any, shape: tuple[int, ...]) -> tuple[Array, Array, Array]:
    """Mean, as a sum of two, and variance of all features at all time steps, as rows of numbers."""
    for argument, value in (("mean", mean), ("var", var)):
        if value is None:
            raise invalid(function, argument, "given where the other of mean and var is", "None")
    mean, var = at_steps(function, "mean", mean, shape), at_steps(function, "var", var, shape)
    if (var < 0).any():
        raise invalid(function, "var", "non-negative", f"{var.min():g}")
    return mean, np.zeros_like(mean), var


def at_steps(function: str, argument: str, value: Any, shape: tuple[int, ...]) -> Array:
    """One number for each time step and feature; later steps have the last one's."""
    value = floats(function, argument, value).astype(np.float64)
    n_features, has_steps = shape[-1], len(shape) == 3
    is_table = has_steps and value.ndim == 2 and len(value) > 0
    if not (is_table or value.ndim == 1) or value.shape[-1] != n_features:
        expected = f"of shape ({n_features},)" + has_steps * f" or (time, {n_features})"
        raise invalid(function, argument, expected, shown(value))
    if not has_steps:
        return value
    value = value.reshape(-1, n_features)
    return value[np.minimum(np.arange(shape[1]), len(value) - 1)].reshape(-1)


def read_only(values: Array) -> Array:
    """Return a view that cannot be written to."""
    view = values.view()
    view.flags.writeable = False
    return view

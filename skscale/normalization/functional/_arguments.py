"""What the functions take: rows as floats, one number per feature, groups; or an error."""

from __future__ import annotations

from typing import Any

import numpy as np

from skscale._kernels import Array
from skscale._parameters import is_integer, is_real
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


def check_cache(function: str, cache: Any) -> None:
    """Refuse a cache that another function has made: its numbers mean something else."""
    forward, made_by = function.removesuffix("_backward"), getattr(cache, "made_by", None)
    if made_by != forward:
        given = f"one from {made_by}" if isinstance(made_by, str) else f"a {type(cache).__name__}"
        raise invalid(function, "cache", f"the one that {forward} returned", given)


def per_feature(function: str, argument: str, value: Any, length: int) -> Array:
    """Return a copy of an array of one number for each feature, or vector."""
    value = np.array(floats(function, argument, value), dtype=np.float64)
    if value.shape != (length,):
        raise invalid(function, argument, f"of shape ({length},)", shown(value))
    return value


def affine(function: str, gamma: Any, beta: Any, n_features: int) -> tuple[Array, Array]:
    """Scale and shift of every feature: 1 and 0 for None."""
    return (
        np.ones(n_features) if gamma is None else per_feature(function, "gamma", gamma, n_features),
        np.zeros(n_features) if beta is None else per_feature(function, "beta", beta, n_features),
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


def partition(
    function: str, groups: Any, n_features: int
) -> tuple[tuple[slice, ...], Array | None]:
    """Places of the groups in a column, and which feature is at which place (None: its own)."""
    if is_integer(groups):
        if groups < 1 or n_features % groups:
            expected = f"a positive int that divides the {n_features} features, or lists of columns"
            raise invalid(function, "groups", expected, repr(groups))
        sizes, order = np.full(int(groups), n_features // groups), None
    else:
        members = [_columns(function, group, n_features) for group in _listed(function, groups)]
        sizes, order = np.array([len(group) for group in members]), np.concatenate(members)
        times = np.bincount(order, minlength=n_features)
        if (times != 1).any():
            given = [
                f"columns {np.flatnonzero(wrong).tolist()} {how}"
                for wrong, how in ((times > 1, "more than once"), (times == 0, "in no group"))
                if wrong.any()
            ]
            expected = f"groups that hold each of the {n_features} columns once"
            raise invalid(function, "groups", expected, " and ".join(given))
    stops = np.cumsum(sizes).tolist()
    return tuple(map(slice, [0, *stops[:-1]], stops)), order


def _listed(function: str, groups: Any) -> list[Any]:
    try:
        listed = list(groups)
    except TypeError:
        listed = []
    if isinstance(groups, (str, bytes, dict)) or not listed:
        expected = "a positive int or a list of lists of columns"
        raise invalid(function, "groups", expected, repr(groups))
    return listed


def _columns(function: str, group: Any, n_features: int) -> Array:
    """Columns of one group, by number; negative ones from the end."""
    try:
        columns = np.asarray(group)
    except ValueError:
        columns = np.empty(0)
    is_list = columns.ndim == 1 and columns.dtype.kind in "iu" and columns.size
    if not is_list or columns.min() < -n_features or columns.max() >= n_features:
        expected = f"made of non-empty lists of columns from {-n_features} to {n_features - 1}"
        raise invalid(function, "groups", expected, f"a group {group!r}")
    return columns.astype(np.int64) % n_features


def read_only(values: Array) -> Array:
    """Return a view that cannot be written to."""
    view = values.view()
    view.flags.writeable = False
    return view

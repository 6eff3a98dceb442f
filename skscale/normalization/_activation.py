"""Activations that follow gamma and beta: pure functions of arrays, their inverses and slopes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from scipy.special import expit, logit

from skscale._kernels import Array
from skscale.errors import InvalidParameterError

Function = Callable[[Array], Array]
"""From an array of floats to a new one of the same shape and dtype; NaN stays NaN."""


class Activation(NamedTuple):
    """An activation.

    Parameters
    ----------
    forward : callable
        Increasing.
    derivative : callable
        Slope of `forward`, as a function of its argument.
    inverse : callable or None
        Undoes `forward`: the ends of the range give -inf and inf, and what is beyond, NaN. None
        if there is no inverse.
    lower, upper : float
        Ends of the range of `forward`.
    """

    forward: Function
    derivative: Function
    inverse: Function | None
    lower: float
    upper: float


FLAT = 1e9
"""Times 3: from here on "softclip" is 3 to the last bit, and squares overflow in no float."""


def _softclip(x: Array) -> Array:
    third = np.clip(x / 3, -FLAT, FLAT)
    return 3 * (third / np.sqrt(1 + third * third))


def _softclip_derivative(x: Array) -> Array:
    with np.errstate(over="ignore", under="ignore"):
        root = np.sqrt(1 + np.square(x / 3))
        return 1 / (root * root * root)


def _softclip_inverse(y: Array) -> Array:
    third = y / 3
    with np.errstate(divide="ignore", invalid="ignore"):
        return y / np.sqrt((1 - third) * (1 + third))


def _tanh_inverse(y: Array) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.arctanh(y)


def _tanh_derivative(x: Array) -> Array:
    # A product of two small numbers, where 1 - tanh(x)**2 would leave no digit.
    with np.errstate(over="ignore"):
        return 4 * expit(2 * x) * expit(-2 * x)


def _relu(x: Array) -> Array:
    return np.maximum(x, x.dtype.type(0))


def _relu_derivative(x: Array) -> Array:
    return np.heaviside(x, x.dtype.type(0))


ACTIVATIONS: Mapping[str, Activation] = MappingProxyType(
    {
        "identity": Activation(np.positive, np.ones_like, np.positive, -np.inf, np.inf),
        "relu": Activation(_relu, _relu_derivative, None, 0, np.inf),
        "tanh": Activation(np.tanh, _tanh_derivative, _tanh_inverse, -1, 1),
        "sigmoid": Activation(expit, lambda x: expit(x) * expit(-x), logit, 0, 1),
        "softclip": Activation(_softclip, _softclip_derivative, _softclip_inverse, -3, 3),
    }
)
"""By name. The slope of "relu" at 0 is 0; "softclip" is ``x / sqrt(1 + (x / 3)**2)``, by
Holzmueller et al. (2024), better by default: strong pre-tuned MLPs and boosted trees on tabular
data, NeurIPS 37."""


def inverse_of(activation: str) -> Function:
    """What undoes an activation.

    Raises
    ------
    InvalidParameterError
        If nothing does.
    """
    inverse = ACTIVATIONS[activation].inverse
    if inverse is None:
        raise InvalidParameterError(
            "The 'activation' parameter must be invertible for inverse_transform. Got "
            f"{activation!r} instead, which makes one number of many."
        )
    return inverse

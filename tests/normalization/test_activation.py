"""Activations against their formulas in plain Python, and at the far ends."""

import math
from fractions import Fraction

import numpy as np
import pytest

from skscale.normalization._activation import ACTIVATIONS

X = np.concatenate([np.linspace(-6, 6, 41), [-30.0, 30.0, 1e-12, -1e-300, 0.0]])
TRUTH = {
    "identity": lambda x: x,
    "relu": lambda x: max(x, 0.0),
    "tanh": math.tanh,
    "sigmoid": lambda x: 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x)),
    "softclip": lambda x: x / math.sqrt(1 + float(Fraction(x) ** 2 / 9)),
}
SLOPES = {
    "identity": lambda x: 1.0,
    "relu": lambda x: float(x > 0),
    "tanh": lambda x: 1 / math.cosh(x) ** 2,
    "sigmoid": lambda x: 1 / (2 * math.cosh(x / 2)) ** 2,
    "softclip": lambda x: (1 + float(Fraction(x) ** 2 / 9)) ** -1.5,
}
every = pytest.mark.parametrize("name", sorted(ACTIVATIONS))


def test_table():
    assert sorted(ACTIVATIONS) == sorted(TRUTH)
    with pytest.raises(TypeError, match="item assignment"):
        ACTIVATIONS["relu"] = None


@every
@pytest.mark.parametrize(("dtype", "rtol"), [(np.float64, 1e-14), (np.float32, 2e-6)])
def test_values_and_slopes(name, dtype, rtol):
    x = X.astype(dtype)
    for function, truth in (
        (ACTIVATIONS[name].forward, TRUTH),
        (ACTIVATIONS[name].derivative, SLOPES),
    ):
        found = function(x)
        assert found.dtype == dtype
        expected = [truth[name](value) for value in x.tolist()]
        np.testing.assert_allclose(found, expected, rtol=rtol, atol=0)


@every
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_far_ends(name, dtype):
    """No warning, no NaN, never beyond the range."""
    activation, largest = ACTIVATIONS[name], np.finfo(dtype).max
    far = np.array([-np.inf, -largest, largest, np.inf], dtype)
    ends = activation.forward(far)
    assert ends.dtype == dtype
    assert ends[[0, 3]].tolist() == [activation.lower, activation.upper]
    if name != "identity":
        assert ends[1] == activation.lower
        assert name == "relu" or ends[2] == activation.upper
    slopes = activation.derivative(far)
    expected = {"identity": [1, 1, 1, 1], "relu": [0, 0, 1, 1]}
    assert slopes.tolist() == expected.get(name, [0, 0, 0, 0])


@every
def test_missing_stays_missing(name):
    activation, missing = ACTIVATIONS[name], np.array([np.nan])
    assert np.isnan(activation.forward(missing)).all()
    assert activation.inverse is None or np.isnan(activation.inverse(missing)).all()


@pytest.mark.parametrize("name", sorted(set(ACTIVATIONS) - {"relu"}))
@pytest.mark.parametrize(("dtype", "reach"), [(np.float64, 5), (np.float32, 2)])
def test_inverse(name, dtype, reach):
    x = X[np.abs(X) <= reach].astype(dtype)
    back = ACTIVATIONS[name].inverse(ACTIVATIONS[name].forward(x))
    assert back.dtype == dtype
    eps = np.finfo(dtype).eps
    # As far as an error of one float in the value is one in its argument.
    apart = eps * np.maximum(1, np.abs(x)) / ACTIVATIONS[name].derivative(x)
    assert (np.abs(back - x) <= 8 * apart).all()


@pytest.mark.parametrize("name", ["tanh", "sigmoid", "softclip"])
def test_inverse_of_the_ends_and_beyond(name):
    activation = ACTIVATIONS[name]
    ends = activation.inverse(np.array([activation.lower, activation.upper], float))
    assert ends.tolist() == [-np.inf, np.inf]
    beyond = np.array([activation.lower - 1e-9, activation.upper + 1e-9])
    assert np.isnan(activation.inverse(beyond)).all()


def test_relu_has_no_inverse():
    assert ACTIVATIONS["relu"].inverse is None

"""Every backward step against central differences, and what it is without one of its terms."""

import numpy as np
import pytest

from skscale.normalization import functional

SHAPES = [(5, 3), (4, 3, 2), (1, 3)]


def draw(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape)


def differences(function, point, direction, step=1e-4):
    """Gradient of ``sum(function(point) * direction)`` by central differences of fourth order."""
    gradient = np.empty(point.shape)
    for place in np.ndindex(point.shape):

        def at(by, place=place):
            moved = point.copy()
            moved[place] += by
            return (function(moved) * direction).sum()

        near, far = at(step) - at(-step), at(2 * step) - at(-2 * step)
        gradient[place] = (8 * near - far) / (12 * step)
    return gradient


def batch_norm(X, gamma, beta):
    return functional.batch_norm(X, gamma, beta)


def inference(X, gamma, beta):
    p = X.shape[-1]
    return functional.batch_norm(X, gamma, beta, mean=draw(5, p), var=draw(6, p) ** 2)


FORWARD = {
    "batch_norm": (batch_norm, functional.batch_norm_backward),
    "batch_norm, inference": (inference, functional.batch_norm_backward),
}


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", FORWARD)
def test_gradients_are_those_of_central_differences(name, shape):
    forward, backward = FORWARD[name]
    given = [3 + 2 * draw(1, *shape), draw(2, shape[-1]), draw(3, shape[-1])]
    dY = draw(4, *shape)
    found = backward(dY, forward(*given)[1])
    assert len(found) == len(given)
    for i, gradient in enumerate(found):

        def moved(value, i=i):
            return forward(*given[:i], value, *given[i + 1 :])[0]

        expected = differences(moved, given[i], dY)
        np.testing.assert_allclose(gradient, expected, rtol=1e-8, atol=1e-8)

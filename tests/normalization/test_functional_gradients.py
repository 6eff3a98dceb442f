"""Every backward step against central differences, and what it is without one of its terms."""

import numpy as np
import pytest

from skscale.normalization import functional


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


def statistics(shape):
    return {"mean": 2 + draw(5, shape[-1]), "var": 0.5 + draw(6, shape[-1]) ** 2}


def inference(X, gamma, beta):
    return functional.batch_norm(X, gamma, beta, **statistics(X.shape))


def renorm_held_still(at):
    """Batch renormalization with the r and d of one batch: what its gradient is that of."""
    r, d = (getattr(functional.batch_renorm(at, **statistics(at.shape))[1], name) for name in "rd")

    def forward(X, gamma, beta):
        z = functional.batch_norm(X)[0]
        return (z * r + d) * gamma + beta, functional.batch_renorm(
            X, gamma, beta, **statistics(X.shape)
        )[1]

    return forward


def groups(X, gamma, beta):
    return functional.group_norm(X, [[X.shape[-1] - 1], range(X.shape[-1] - 1)], gamma, beta)


FORWARD = {
    "batch_norm": lambda X: functional.batch_norm,
    "batch_norm, inference": lambda X: inference,
    "batch_renorm": renorm_held_still,
    "layer_norm": lambda X: functional.layer_norm,
    "group_norm": lambda X: groups,
    "rms_norm": lambda X: functional.rms_norm,
    "instance_norm": lambda X: functional.instance_norm,
}
CASES = [(name, shape) for name in FORWARD for shape in ((5, 3), (1, 3), (4, 3, 2), (2, 1, 4))]


def backward_of(name):
    return getattr(functional, f"{name.split(',')[0]}_backward")


def given(shape):
    return [2 + 2 * draw(1, *shape), draw(2, shape[-1]), draw(3, shape[-1])]


def expected_gradients(name, shape):
    """Those of the sum of all outputs times `dY`, with respect to X, gamma and beta."""
    arguments, dY = given(shape), draw(4, *shape)
    forward = FORWARD[name](arguments[0])
    for i, argument in enumerate(arguments):

        def moved(value, i=i):
            return forward(*arguments[:i], value, *arguments[i + 1 :])[0]

        yield differences(moved, argument, dY)


def disagreement(found, expected):
    """Largest difference, relative to the largest number, of the worst of some gradients."""
    return max(
        abs(one - other).max() / max(abs(other).max(), 1e-3)
        for one, other in zip(found, expected, strict=True)
    )


@pytest.mark.parametrize(("name", "shape"), CASES, ids=str)
def test_gradients_are_those_of_central_differences(name, shape):
    arguments = given(shape)
    cache = FORWARD[name](arguments[0])(*arguments)[1]
    found = backward_of(name)(draw(4, *shape), cache)
    assert [gradient.shape for gradient in found] == [part.shape for part in arguments]
    assert disagreement(found, list(expected_gradients(name, shape))) < 1e-8


@pytest.mark.parametrize("axis", [0, 1])
def test_gradients_of_weights_are_those_of_central_differences(axis):
    V, dW = draw(1, 3, 4), draw(2, 3, 4)
    g = draw(3, V.shape[1 - axis])
    dV, dg = functional.weight_norm_backward(dW, functional.weight_norm(V, g, axis=axis)[1])
    expected = [
        differences(lambda V: functional.weight_norm(V, g, axis=axis)[0], V, dW),
        differences(lambda g: functional.weight_norm(V, g, axis=axis)[0], g, dW),
    ]
    assert disagreement([dV, dg], expected) < 1e-8


# Without a term ---------------------------------------------------------------------------

TERMS = {
    "mean(g)": lambda g, z, mean: mean(g),
    "z mean(g z)": lambda g, z, mean: z * mean(g * z),
}
AVERAGED = {
    "batch_norm": 0,
    "batch_renorm": 0,
    "layer_norm": -1,
    "rms_norm": -1,
    "instance_norm": 1,
}


WITHOUT = [
    *((name, term) for name in AVERAGED for term in (None, "gamma", "z mean(g z)")),
    *((name, "mean(g)") for name in AVERAGED if name != "rms_norm"),
    ("batch_renorm", "r"),
]


@pytest.mark.parametrize(("name", "left_out"), WITHOUT, ids=str)
def test_a_gradient_without_a_term_is_seen(name, left_out):
    """The textbook formula, and that formula without one of its terms, against differences."""
    shape = (4, 3, 2) if name == "instance_norm" else (5, 3)
    (X, gamma, _), dY, axis = given(shape), draw(4, *shape), AVERAGED[name]

    def mean(values):
        return values.mean(axis=axis, keepdims=True)

    deviation = X - (0 if name == "rms_norm" else mean(X))
    root = np.sqrt(mean(deviation**2) + 1e-5)
    g = dY * (1 if left_out == "gamma" else gamma)
    if name == "batch_renorm" and left_out != "r":
        g = g * functional.batch_renorm(X, **statistics(shape))[1].r
    kept = {term: of for term, of in TERMS.items() if term != left_out}
    if name == "rms_norm":
        kept.pop("mean(g)")
    dX = (g - sum(of(g, deviation / root, mean) for of in kept.values())) / root
    expected = next(expected_gradients(name, shape))
    assert (disagreement([dX], [expected]) < 1e-8) == (left_out is None)
    arguments = given(shape)
    cache = FORWARD[name](X)(*arguments)[1]
    found = backward_of(name)(dY, cache)[0]
    assert (disagreement([found], [dX]) < 1e-12) == (left_out is None)

"""From statistics to axes: routes to the same axes agree, and noise is turned by rule."""

import numpy as np
import pytest

from skscale import _linalg as linalg

EPS = np.finfo(np.float64).eps


def rotation(size, seed=0):
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(size, size)))[0]


def hadamard(order):
    matrix = np.ones((1, 1))
    for _ in range(order):
        matrix = np.kron(matrix, [[1, 1], [1, -1]]) / np.sqrt(2)
    return matrix


SPANS = {
    "nothing": np.zeros((0, 7)),
    "coordinate axes": np.eye(5)[[0, 3]],
    "the diagonal": np.full((1, 30), 30**-0.5),
    "a pair of columns": np.array([[1.0, 1, 0, 0, 0, 0], [0, 0, 1, 1, 0, 0]]) / np.sqrt(2),
    "nearly a pair": np.array([[1.0, 1, 3e-5, 0]]) / np.linalg.norm([1, 1, 3e-5]),
    "half of a Hadamard matrix": hadamard(6)[:32],
    "nearly all of one": hadamard(7)[:127],
    "any directions": rotation(150)[:20],
    "all but a few": rotation(150)[:145],
    "all but the diagonal": np.linalg.qr(np.c_[np.ones(900), np.eye(900)])[0].T[1:],
}


def spanned(signal, k):
    """Axes of which the first ones are given and the others are noise."""
    values = np.zeros(k)
    values[: len(signal)] = np.linspace(2, 1, len(signal))
    noise = np.zeros((k - len(signal), signal.shape[1]))
    return linalg.Axes(values, 0, np.vstack([signal, noise]), 1e-10)


@pytest.mark.parametrize("signal", SPANS.values(), ids=SPANS)
def test_completed_axes_are_orthonormal_and_begin_with_the_signal(signal):
    n_features = signal.shape[1]
    found = linalg.complete(spanned(signal, n_features), n_features).components
    assert (found[: len(signal)] == signal).all()
    added = found[len(signal) :]
    assert np.abs(added @ found.T - np.eye(n_features)[len(signal) :]).max() < 64 * EPS


@pytest.mark.parametrize("signal", SPANS.values(), ids=SPANS)
def test_completed_axes_do_not_depend_on_rounding(signal):
    n_features = signal.shape[1]
    found = linalg.complete(spanned(signal, n_features), n_features).components
    rng = np.random.default_rng(1)
    for _ in range(5):
        rounded = signal + 8 * EPS * rng.normal(size=signal.shape)
        again = linalg.complete(spanned(rounded, n_features), n_features).components
        assert np.abs(again - found).max() < 1e-11


def test_first_completed_axes_do_not_depend_on_how_many_follow():
    every = linalg.complete(spanned(rotation(90)[:4], 90), 90).components
    some = linalg.complete(spanned(rotation(90)[:4], 20), 20).components
    assert np.abs(some - every[:20]).max() < 64 * EPS


def wide(values, n_features=200):
    """Rows with these singular values."""
    height = len(values)
    return rotation(height, 1) * np.array(values) @ rotation(n_features, 2)[:height]


def test_wide_rows_have_the_singular_values_and_vectors_of_their_transpose():
    values = np.geomspace(1, 1e-9, 30)
    axes = linalg.singular_axes(wide(values), 31, k=7)
    assert np.abs(axes.singular_values - values).max() < 8 * EPS
    assert axes.components.shape == (7, 200)
    assert np.abs(axes.components @ axes.components.T - np.eye(7)).max() < 32 * EPS
    projected = wide(values) @ axes.components.T
    assert np.allclose(np.linalg.norm(projected, axis=0), values[:7], rtol=1e-13, atol=1e-15)


def test_squares_of_wide_rows_give_the_same_strong_axes():
    triangle = wide(np.linspace(32, 1.1, 30))
    axes, exact = linalg.gram_axes(triangle, 31, 30), linalg.singular_axes(triangle, 31)
    assert np.allclose(axes.singular_values, exact.singular_values, rtol=1e-12)
    assert np.abs(axes.components - exact.components).max() < 1e-12
    assert np.abs(axes.components @ axes.components.T - np.eye(30)).max() < 16 * EPS


@pytest.mark.parametrize("values", [[1, 1, 0.03, 0.5], [1, 1, 1, 0.04, 0.03, 0.02], [0.0, 0.0]])
def test_weak_axes_are_not_left_to_squares(values):
    triangle = wide(np.sort(values)[::-1])
    assert linalg.gram_axes(triangle, 5, len(values) if len(values) == 4 else 3) is None

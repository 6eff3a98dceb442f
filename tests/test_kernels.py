"""What the kernels of scatter matrices and triangles do that their results do not show."""

import functools
import sys

import numpy as np
import pytest

from skscale import _kernels as kernels
from skscale._kernels import _lapack, _scatter, _triangle
from skscale.statistics import Scatter, Triangle

EPS = np.finfo(np.float64).eps


def counted_products(monkeypatch):
    """A list that grows with every product."""
    products, in_use = [], sys.modules[kernels.scatter.__module__].products

    def counting(*given):
        products.append(1)
        return in_use(*given)

    monkeypatch.setattr(kernels, "scatter", functools.partial(_scatter.scatter, products=counting))
    return products


@pytest.mark.parametrize("shape", [(100, 40), (600, 200), (5000, 100)])
def test_the_first_centre_is_good_enough(shape, monkeypatch):
    """One product per block: a second one, about a better centre, is for odd rows only."""
    products = counted_products(monkeypatch)
    rng = np.random.default_rng(0)
    for _ in range(20):
        Scatter.of(rng.normal(size=shape) + 5)
    assert len(products) == 20


def test_a_misled_centre_is_found_again(monkeypatch):
    products = counted_products(monkeypatch)
    rows = np.zeros((4096, 2))
    rows[::16] = 1e6  # all that a sample of one row in 16 sees
    rows += np.random.default_rng(0).normal(size=rows.shape)
    assert len(Scatter.of(rows).scatter) == len(products) == 2


@pytest.mark.parametrize("n_rows", [1, 2, 7, 40])
@pytest.mark.parametrize("n_columns", [1, 2, 9, 33])
def test_absorbed_rows(n_rows, n_columns):
    rng = np.random.default_rng(0)
    triangle = np.asfortranarray(np.triu(rng.normal(size=(n_columns, n_columns))))
    rows = np.asfortranarray(rng.normal(size=(n_rows + 3, n_columns)))[1 : n_rows + 1]
    expected = triangle.T @ triangle + rows.T @ rows
    _lapack.absorb(triangle, rows)
    assert np.allclose(triangle.T @ triangle, expected, rtol=0, atol=32 * EPS * n_columns**2)
    assert (np.tril(triangle, -1) == 0).all()


def test_a_joined_triangle_has_the_scatter_of_both_and_of_the_row_between():
    rng = np.random.default_rng(0)
    first, second = np.triu(rng.normal(size=(2, 20, 20)))
    between = rng.normal(size=20)
    found = _triangle.join(first, second, between)
    expected = first.T @ first + second.T @ second + np.outer(between, between)
    assert np.allclose(found.T @ found, expected, rtol=0, atol=1e-13)
    assert (np.tril(found, -1) == 0).all()


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("shape", [(1, 5), (2, 9), (6, 23), (6, 24), (6, 25), (9, 9), (40, 9000)])
def test_wide_rows_are_rotated_and_lose_nothing(shape, weighted):
    rng = np.random.default_rng(0)
    rows = rng.normal(size=shape) * np.geomspace(1, 1e-9, shape[1]) + 3
    weights = rng.integers(1, 4, size=len(rows)).astype(float) if weighted else np.ones(len(rows))
    statistic = Triangle.of(rows, weights if weighted else None)
    centred = (rows - np.average(rows, axis=0, weights=weights)) * np.sqrt(weights)[:, np.newaxis]
    scale = np.linalg.norm(centred, axis=0)
    found, wanted = statistic.triangle, centred[:, :60]
    assert len(found) == len(rows) - 1
    assert (np.tril(found, -1) == 0).all()
    scatter = found[:, :60].T @ found[:, :60]
    bound = np.outer(scale, scale)[:60, :60]
    # The rows themselves are known to the spacing of floats at 3, which is not small for all.
    error = np.abs(scatter - wanted.T @ wanted)
    assert (error <= 64 * EPS * (bound + np.outer(scale, np.ones(shape[1]))[:60, :60] * 4)).all()

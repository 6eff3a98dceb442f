"""The statistic of affinely mapped rows, compared with exact moments of the exactly mapped rows."""

import numpy as np
import pytest

from skscale.statistics import Extrema, Moments, Scatter, Triangle

from . import truth

GENERATOR = np.random.default_rng(3)
ROWS = GENERATOR.normal(size=(40, 3)) * [1.0, 1e-3, 50.0] + [0.0, 1e6, -3.0]
WEIGHTS = GENERATOR.integers(0, 3, 40).astype(float)
FACTORS = np.array([2.5, -300.0, 0.1])
MATRIX = GENERATOR.normal(size=(2, 3)) * [1.0, 1e3, 0.02]
CENTRES = [np.zeros(3), ROWS.mean(axis=0)]


def exactly(matrix, offset, centre):
    """Mapped rows as rationals."""
    matrix = np.diag(matrix) if np.ndim(matrix) == 1 else matrix
    return (truth.exact(ROWS) - truth.exact(centre)) @ truth.exact(matrix).T + truth.exact(offset)


def exact_scatter(rows, weights):
    weights = truth.exact(weights)[:, np.newaxis]
    deviation = rows - (weights * rows).sum(axis=0) / weights.sum()
    return (weights * deviation).T @ deviation


@pytest.mark.parametrize("centre", CENTRES, ids=["origin", "mean"])
@pytest.mark.parametrize("matrix", [FACTORS, MATRIX], ids=["diagonal", "matrix"])
@pytest.mark.parametrize("kind", [Scatter, Triangle])
def test_scatter_of_mapped_rows(kind, matrix, centre):
    offset = np.arange(1.0, 1 + len(matrix))
    mapped = kind.of(ROWS, WEIGHTS).affine(matrix, offset, centre=centre)
    rows = exactly(matrix, offset, centre)
    expected = exact_scatter(rows, WEIGHTS)
    scatter = mapped.scatter if kind is Scatter else mapped.triangle.T @ mapped.triangle
    scale = np.sqrt(np.diagonal(expected).astype(float))
    assert truth.digits(scatter, expected, np.outer(scale, scale)) > 14
    mean = (truth.exact(WEIGHTS) @ rows) / truth.exact(WEIGHTS).sum()
    assert truth.digits(mapped.mean, mean, np.abs(mean) + scale) > (14 if centre.any() else 9)
    assert mapped.total == WEIGHTS.sum()
    moments = mapped.moments()
    assert truth.digits(moments.second_moment, np.diagonal(expected)) > 14
    np.testing.assert_array_equal(moments.mean, mapped.mean)


@pytest.mark.parametrize("centre", CENTRES, ids=["origin", "mean"])
def test_moments_of_mapped_rows(centre):
    gaps = ROWS.copy()
    gaps[3:9, 1] = np.nan
    mapped = Moments.of(gaps, WEIGHTS).affine(FACTORS, 7.0, centre=centre)
    rows = exactly(FACTORS, np.full(3, 7.0), centre)
    for column in range(3):
        there = ~np.isnan(gaps[:, column])
        expected = exact_scatter(rows[there, column : column + 1], WEIGHTS[there])[0, 0]
        assert truth.digits(mapped.second_moment[column], expected) > 15
        assert mapped.count[column] == WEIGHTS[there].sum()
        mean = truth.mean(rows[there, column], truth.exact(WEIGHTS[there]))
        assert truth.digits(mapped.mean[column], mean) > 15


def test_extrema_of_mapped_rows():
    mapped = Extrema.of(ROWS).affine(FACTORS, [1.0, 2.0, 3.0], centre=CENTRES[1])
    rows = exactly(FACTORS, np.array([1.0, 2.0, 3.0]), CENTRES[1])
    assert truth.digits(mapped.minimum, rows.min(axis=0)) > 15
    assert truth.digits(mapped.maximum, rows.max(axis=0)) > 15


def test_the_mean_becomes_the_offset_exactly():
    for kind in (Moments, Scatter, Triangle):
        rows = kind.of(ROWS)
        mapped = rows.affine(FACTORS, 0.0, centre=rows.mean, centre_low=rows.mean_low)
        np.testing.assert_array_equal(mapped.mean, 0.0)


@pytest.mark.parametrize("kind", [Moments, Extrema, Scatter, Triangle])
def test_constant_and_empty_columns_stay_so(kind):
    rows = np.c_[np.full(5, 0.1), np.arange(5.0)]
    mapped = kind.of(rows).affine([3.0, 2.0], 1.0)
    if kind is Extrema:
        assert mapped.minimum[0] == mapped.maximum[0]
    else:
        assert mapped.deviation()[0][0] == 0
    if kind in (Moments, Extrema):
        rows[:, 0] = np.nan
        empty, of_rows = kind.of(rows).affine([3.0, 2.0], 1.0), kind.of(rows)
        assert empty.count[0] == 0
        # merging it changes nothing, as with one that was measured
        assert empty.merge(of_rows).count[0] == 0
        assert np.isfinite(getattr(empty, "mean", np.zeros(2))).all()


@pytest.mark.parametrize("kind", [Moments, Extrema, Scatter, Triangle])
def test_no_rows_stay_no_rows(kind):
    empty = kind.of(np.zeros((0, 2))).affine([3.0, 2.0], 1.0)
    some = kind.of([[1.0, 2.0], [3.0, 5.0]])
    assert empty.merge(some) == some


@pytest.mark.parametrize("kind", [Moments, Extrema, Scatter, Triangle])
def test_matrices_of_the_wrong_shape(kind):
    with pytest.raises(ValueError, match="matrix must be"):
        kind.of(ROWS).affine([1.0, 2.0])
    if kind in (Moments, Extrema):
        with pytest.raises(ValueError, match="one factor per column; got 2 axes"):
            kind.of(ROWS).affine(MATRIX)


def test_units_of_columns_survive_a_matrix():
    rows = ROWS * [1e-200, 1e-200, 1e-200]
    scatter, triangle = (kind.of(rows).affine(MATRIX) for kind in (Scatter, Triangle))
    expected = exact_scatter(truth.exact(rows) @ truth.exact(MATRIX).T, np.ones(40))
    for values, exponent in (
        (scatter.scatter, scatter.exponent),
        (triangle.triangle.T @ triangle.triangle, triangle.exponent),
    ):
        units = [[truth.rational(2) ** int(i + j) for i in exponent] for j in exponent]
        found = (truth.exact(values) * np.array(units, dtype=object) * 10**400).astype(float)
        scale = np.sqrt((np.diagonal(expected) * 10**400).astype(float))
        assert truth.digits(found, expected * 10**400, np.outer(scale, scale)) > 13

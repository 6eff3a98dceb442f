"""MinMaxScaler: its formula, its promise to keep the range, and scikit-learn's answers."""

import numpy as np
import pytest
import sklearn.preprocessing
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine

from skscale import MinMaxScaler
from skscale.statistics import Extrema

from .. import truth

ROWS = np.random.default_rng(0).normal(size=(40, 3)) * [1, 10, 0.1] + [0, 100, -5]
RANGES = [
    (0, 1),
    (-1, 1),
    (-0.5, 0.6),
    (0.1, 0.3),
    (1e-9, 1.0),
    (-7.3, -7.1),
    (3, 1e9),
    (-1e-3, 1e6),
]
REAL = {
    "wine": load_wine().data,
    "breast cancer": load_breast_cancer().data,
    "diabetes": load_diabetes(scaled=False).data,
    "digits": load_digits().data,
}
real_data = pytest.mark.parametrize("rows", REAL.values(), ids=REAL)
ranges = pytest.mark.parametrize("limits", RANGES, ids=str)


# The formula -------------------------------------------------------------------------------


@ranges
def test_formula(limits):
    """``a + (b - a) (x - min) / (max - min)`` to 4 eps of the larger end."""
    result = MinMaxScaler(limits).fit_transform(ROWS)
    a, b = truth.exact(limits)
    for column in range(3):
        exact = a + (b - a) * truth.positions(ROWS[:, column])
        assert truth.digits(result[:, column], exact, scale=max(abs(a), abs(b))) >= truth.tolerance(
            4
        )


@pytest.mark.parametrize("offset", [1e3, 1e9, 1e15])
def test_formula_far_from_zero(offset):
    rows = ROWS[:, [0]] + offset
    result = MinMaxScaler().fit_transform(rows)
    assert truth.digits(result[:, 0], truth.positions(rows[:, 0])) >= truth.tolerance(2)


def test_attributes():
    scaler = MinMaxScaler((-1, 3)).fit(ROWS)
    np.testing.assert_array_equal(scaler.data_min_, ROWS.min(axis=0))
    np.testing.assert_array_equal(scaler.data_max_, ROWS.max(axis=0))
    np.testing.assert_array_equal(scaler.data_range_, np.ptp(ROWS, axis=0))
    np.testing.assert_allclose(scaler.scale_, 4 / np.ptp(ROWS, axis=0), rtol=1e-15)
    np.testing.assert_allclose(scaler.min_, -1 - ROWS.min(axis=0) * scaler.scale_, rtol=1e-14)
    assert scaler.n_samples_seen_ == 40
    assert isinstance(scaler.statistic_, Extrema)
    for name in ("data_min_", "data_max_", "data_range_", "scale_", "min_"):
        assert getattr(scaler, name).dtype == np.float64


# The range ---------------------------------------------------------------------------------


def fuzzed(seed, n_columns):
    """Columns of any spread, at any offset up to 1e6 spreads."""
    rng = np.random.default_rng(seed)
    spread = 10.0 ** rng.uniform(-12, 12, n_columns)
    offset = spread * rng.normal(size=n_columns) * 10.0 ** rng.uniform(-2, 6, n_columns)
    return rng.normal(size=(12, n_columns)) * spread + offset


@ranges
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
def test_training_rows_never_leave_the_range(limits, dtype):
    """10,000 columns; the ends are reached, and are those of the range rounded to the dtype."""
    with np.errstate(over="ignore"):
        rows = fuzzed(1, 10_000).astype(dtype)
        lower, upper = np.array(limits).astype(dtype)
    rows = rows[:, np.isfinite(rows).all(axis=0)]
    if not np.isfinite(upper):
        pytest.skip("the upper end is beyond float16")
    scaler = MinMaxScaler(limits).fit(rows)
    result = scaler.transform(rows)
    assert result.dtype == dtype
    assert (result >= lower).all()
    assert (result <= upper).all()
    varying = np.ptp(rows.astype(np.float64), axis=0) > 0
    assert varying.sum() > 1000
    np.testing.assert_array_equal(result.min(axis=0), lower)
    np.testing.assert_array_equal(result.max(axis=0)[varying], upper)


def test_range_of_every_column_is_its_own_under_fuzz():
    rng = np.random.default_rng(2)
    rows = fuzzed(2, 10_000)
    lower = rng.normal(size=10_000)
    upper = lower + 10.0 ** rng.uniform(-8, 3, 10_000)
    result = MinMaxScaler((lower, upper)).fit_transform(rows)
    assert ((result >= lower) & (result <= upper)).all()
    np.testing.assert_array_equal(result.min(axis=0), lower)
    np.testing.assert_array_equal(result.max(axis=0), upper)


def test_order_of_values_is_kept():
    """The map is monotone: what was not larger does not become larger."""
    rows = np.sort(fuzzed(3, 2000), axis=0)
    for limits in RANGES:
        assert (np.diff(MinMaxScaler(limits).fit_transform(rows), axis=0) >= 0).all()


@pytest.mark.parametrize("limits", [([0, -1, 5], [1, 1, 6]), (0, [1, 2, 3]), ([-3, -2, -1], 0)])
def test_one_range_per_column(limits):
    scaler = MinMaxScaler(tuple(map(np.array, limits))).fit(ROWS)
    result = scaler.transform(ROWS)
    lower, upper = (np.broadcast_to(end, 3) for end in limits)
    np.testing.assert_array_equal(result.min(axis=0), lower)
    np.testing.assert_array_equal(result.max(axis=0), upper)
    for column in range(3):
        alone = MinMaxScaler((float(lower[column]), float(upper[column])))
        np.testing.assert_array_equal(result[:, [column]], alone.fit_transform(ROWS[:, [column]]))
    np.testing.assert_allclose(scaler.inverse_transform(result), ROWS, rtol=1e-14)


@ranges
def test_clip(limits):
    scaler = MinMaxScaler(limits, clip=True).fit(ROWS)
    beyond = np.vstack([ROWS.min(axis=0) - 5, ROWS.max(axis=0) + 5, np.full(3, np.nan)])
    result = scaler.transform(beyond)
    assert result[:2].tolist() == [[limits[0]] * 3, [limits[1]] * 3]
    assert np.isnan(result[2]).all()
    np.testing.assert_array_equal(scaler.transform(ROWS), MinMaxScaler(limits).fit_transform(ROWS))


def test_without_clip_values_go_beyond():
    scaler = MinMaxScaler((10, 20)).fit([[0.0], [2.0]])
    assert scaler.transform([[-1.0], [5.0]]).ravel().tolist() == [5, 35]


def test_clip_with_one_range_per_column():
    scaler = MinMaxScaler(([0, 10], [1, 20]), clip=True).fit([[0.0, 0.0], [1.0, 1.0]])
    assert scaler.transform([[9.0, -9.0]]).tolist() == [[1, 10]]


# scikit-learn ------------------------------------------------------------------------------


@real_data
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("limits", [(0, 1), (-1, 1), (5, 9)], ids=str)
def test_equals_scikit_learn(rows, dtype, limits):
    rows = rows.astype(dtype)
    ours = MinMaxScaler(limits).fit(rows)
    theirs = sklearn.preprocessing.MinMaxScaler(feature_range=limits).fit(rows)
    rtol = 1e-12 if dtype == np.float64 else 2e-4
    for name in ("data_min_", "data_max_", "data_range_", "scale_", "min_", "n_samples_seen_"):
        found, expected = getattr(ours, name), getattr(theirs, name)
        np.testing.assert_allclose(
            found, expected, rtol=rtol, atol=1e-4 if dtype != np.float64 else 0
        )
    found, expected = ours.transform(rows), theirs.transform(rows)
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(found, expected, rtol=0, atol=rtol * limits[1])
    back = ours.inverse_transform(found)
    np.testing.assert_allclose(back, rows, rtol=rtol, atol=rtol * abs(rows).max())


# Weights, missing values, constants, few rows ------------------------------------------------


def test_weights_matter_where_they_are_zero():
    rows = np.array([[0.0], [1.0], [2.0], [100.0]])
    scaler = MinMaxScaler().fit(rows, sample_weight=[0.1, 5, 3, 0])
    assert (scaler.data_min_[0], scaler.data_max_[0]) == (0, 2)
    assert scaler.n_samples_seen_ == pytest.approx(8.1)
    repeated = MinMaxScaler().fit(rows, sample_weight=[2, 1, 4, 0])
    assert repeated.n_samples_seen_ == 7
    np.testing.assert_array_equal(repeated.transform(rows), scaler.transform(rows))


def test_missing_values_are_left_out_and_stay():
    rows = ROWS.copy()
    rows[0, 0] = rows[3, 1] = np.nan
    result = MinMaxScaler().fit_transform(rows)
    np.testing.assert_array_equal(np.isnan(result), np.isnan(rows))
    np.testing.assert_array_equal(np.nanmin(result, axis=0), 0)
    np.testing.assert_array_equal(np.nanmax(result, axis=0), 1)


@ranges
@pytest.mark.parametrize("value", [0.0, 0.1, -1e15, 1e300, 1.7e308, 5e-324])
@pytest.mark.parametrize("n_rows", [1, 5])
def test_constant_column_becomes_the_lower_end(limits, value, n_rows):
    rows = np.full((n_rows, 1), value)
    scaler = MinMaxScaler(limits).fit(rows)
    np.testing.assert_array_equal(scaler.transform(rows), limits[0])
    assert scaler.data_range_[0] == 0
    np.testing.assert_array_equal(scaler.inverse_transform(scaler.transform(rows)), value)
    np.testing.assert_array_equal(scaler.scale_, limits[1] - limits[0])  # as in scikit-learn


@pytest.mark.parametrize(
    "column",
    [
        [1.0, 1.0 + 2.3e-16, 1.0 + 4.5e-16],
        [0.0, 5e-324, 1e-323],
        [5e-324, 1e-323, 1.5e-323],
        [1e15, 1e15 + 0.125, 1e15 + 0.25],
        [-1e-310, 0.0, 1e-310],
        [1.7e308, 0.0, -1.7e308],
    ],
    ids=str,
)
def test_any_range_above_zero_is_a_range(column):
    """One ulp, a subnormal number, the whole of float64: no warning, and 0, 1/2, 1."""
    rows = np.sort(column)[:, np.newaxis]
    scaler = MinMaxScaler().fit(rows)
    assert scaler.transform(rows).ravel().tolist() == [0, 0.5, 1]
    np.testing.assert_array_equal(scaler.inverse_transform([[0.0], [0.5], [1.0]]), rows)


# Batches, copies -----------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 3, 39])
def test_partial_fit_is_fit_bit_for_bit(size):
    batched = MinMaxScaler((-1, 1))
    for start in range(0, 40, size):
        batched.partial_fit(ROWS[start : start + size])
    fitted = MinMaxScaler((-1, 1)).fit(ROWS)
    np.testing.assert_array_equal(batched.transform(ROWS), fitted.transform(ROWS))
    assert batched.n_samples_seen_ == 40


@ranges
def test_inverse_transform(limits):
    """Back to 4 eps of the larger of the value, the spread and the spread at the range's offset."""
    scaler = MinMaxScaler(limits).fit(ROWS)
    back = scaler.inverse_transform(scaler.transform(ROWS))
    offset = max(1, max(map(abs, limits)) / (limits[1] - limits[0]))
    atol = 4 * 2.3e-16 * (np.abs(ROWS).max(axis=0) + np.ptp(ROWS, axis=0) * offset)
    assert (np.abs(back - ROWS) <= atol).all()


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("order", ["C", "F"])
def test_copy_false_writes_in_place(dtype, order):
    rows = np.array(ROWS, dtype=dtype, order=order)
    expected = MinMaxScaler((2, 3)).fit_transform(rows)
    scaler = MinMaxScaler((2, 3), copy=False).fit(rows)
    given = rows.copy(order="K")
    assert np.shares_memory(scaler.transform(given), given)
    np.testing.assert_array_equal(given, expected)


def test_fit_transform_is_fit_then_transform_bit_for_bit():
    for rows in (ROWS, ROWS.astype(np.float32), REAL["digits"]):
        together = MinMaxScaler().fit_transform(rows)
        np.testing.assert_array_equal(together, MinMaxScaler().fit(rows).transform(rows))


def test_a_row_alone_is_a_row_among_others_bit_for_bit():
    rows = REAL["breast cancer"]
    scaler = MinMaxScaler((-0.5, 0.6)).fit(rows)
    alone = np.vstack([scaler.transform(row[np.newaxis]) for row in rows])
    np.testing.assert_array_equal(alone, scaler.transform(rows))


def test_fit_statistic():
    statistic = Extrema.of(ROWS[:7]).merge(Extrema.of(ROWS[7:]))
    scaler = MinMaxScaler().fit_statistic(statistic)
    np.testing.assert_array_equal(scaler.transform(ROWS), MinMaxScaler().fit_transform(ROWS))


def test_overflow_with_and_without_a_copy():
    """A difference that overflows is taken again from the rows, not from what it left."""
    scaler = MinMaxScaler().fit([[-1e308], [0.0]])
    rows = np.array([[1e308], [0.0]])
    for copy in (True, False):
        scaler.set_params(copy=copy)
        white = scaler.transform(rows.copy())
        np.testing.assert_array_equal(white, [[2], [1]])
        np.testing.assert_array_equal(scaler.inverse_transform(white), rows)


def test_both_ends_of_any_range_are_met():
    random = np.random.default_rng(0)
    ends = np.sort(random.normal(size=(2, 3000)) * 10.0 ** random.integers(-3, 4, 3000), axis=0)
    scaler = MinMaxScaler((ends[0], ends[1]))
    result = scaler.fit_transform(np.array([[0.0], [0.3], [1.0]]) * np.ones(3000))
    np.testing.assert_array_equal(result[0], ends[0])
    np.testing.assert_array_equal(result[2], ends[1])
    assert (result[1] >= ends[0]).all()
    assert (result[1] <= ends[1]).all()

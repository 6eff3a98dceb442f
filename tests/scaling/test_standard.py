"""StandardScaler: its formula, its attributes, and scikit-learn's answers where those are right."""

from fractions import Fraction
from numbers import Integral

import numpy as np
import pytest
import sklearn.preprocessing
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine

from skscale import StandardScaler
from skscale.statistics import Moments

from .. import truth

ROWS = np.random.default_rng(0).normal(size=(40, 3)) * [1, 10, 0.1] + [0, 100, -5]
REAL = {
    "wine": load_wine().data,
    "breast cancer": load_breast_cancer().data,
    "diabetes": load_diabetes(scaled=False).data,
    "digits": load_digits().data,
}
real_data = pytest.mark.parametrize("rows", REAL.values(), ids=REAL)


# The formula -------------------------------------------------------------------------------


@pytest.mark.parametrize("ddof", [0, 1, 2.5])
@pytest.mark.parametrize("with_mean", [True, False])
@pytest.mark.parametrize("with_std", [True, False])
def test_formula(ddof, with_mean, with_std):
    scaler = StandardScaler(with_mean=with_mean, with_std=with_std, ddof=ddof)
    result = scaler.fit_transform(ROWS)
    for column in range(3):
        values = truth.exact(ROWS[:, column])
        centre = truth.mean(values) if with_mean else Fraction(0)
        width = truth.root(truth.variance(values, ddof=ddof)) if with_std else 1
        exact = np.array([truth.real(x - centre) / width for x in values])
        scale = max(abs(z) for z in exact)
        assert truth.digits(result[:, column], exact, scale=scale) >= truth.tolerance(4)


def test_attributes():
    scaler = StandardScaler().fit(ROWS)
    assert truth.digits(scaler.mean_, truth.means(ROWS)) >= truth.tolerance(1)
    assert truth.digits(scaler.var_, truth.variances(ROWS)) >= truth.tolerance(4)
    np.testing.assert_allclose(scaler.scale_**2, scaler.var_, rtol=1e-15)
    assert scaler.n_samples_seen_ == 40
    assert isinstance(scaler.n_samples_seen_, Integral)
    assert scaler.n_features_in_ == 3
    assert isinstance(scaler.statistic_, Moments)
    for attribute in (scaler.mean_, scaler.var_, scaler.scale_):
        assert attribute.dtype == np.float64
        assert attribute.shape == (3,)


@pytest.mark.parametrize(
    ("options", "none"),
    [
        ({"with_std": False}, {"var_", "scale_"}),
        ({"with_mean": False}, set()),
        ({"with_mean": False, "with_std": False}, {"mean_", "var_", "scale_"}),
    ],
)
def test_attributes_that_are_none_are_those_of_scikit_learn(options, none):
    ours = StandardScaler(**options).fit(ROWS)
    theirs = sklearn.preprocessing.StandardScaler(**options).fit(ROWS)
    for name in ("mean_", "var_", "scale_"):
        assert (getattr(ours, name) is None) == (name in none)
        assert (getattr(ours, name) is None) == (getattr(theirs, name) is None)
    np.testing.assert_array_equal(ours.n_samples_seen_, theirs.n_samples_seen_)


def test_result_has_mean_zero_and_variance_one():
    for dtype, atol in ((np.float64, 1e-14), (np.float32, 1e-6)):
        result = StandardScaler().fit_transform((ROWS + 1e5).astype(dtype)).astype(np.float64)
        np.testing.assert_allclose(result.mean(axis=0), 0, atol=atol)
        np.testing.assert_allclose(result.var(axis=0), 1, atol=atol)
    unbiased = StandardScaler(ddof=1).fit_transform(ROWS)
    np.testing.assert_allclose(unbiased.var(axis=0, ddof=1), 1, atol=1e-14)


# scikit-learn ------------------------------------------------------------------------------


@real_data
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("options", [{}, {"with_mean": False}, {"with_std": False}])
def test_equals_scikit_learn(rows, dtype, options):
    rows = rows.astype(dtype)
    ours = StandardScaler(**options).fit(rows)
    theirs = sklearn.preprocessing.StandardScaler(**options).fit(rows)
    rtol = 1e-12 if dtype == np.float64 else 1e-4
    for name in ("mean_", "var_", "scale_", "n_samples_seen_"):
        if getattr(theirs, name) is not None:
            found, expected = getattr(ours, name), getattr(theirs, name)
            np.testing.assert_allclose(found, expected, rtol=rtol, atol=1e-15)
    found, expected = ours.transform(rows), theirs.transform(rows)
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(found, expected, rtol=0, atol=rtol * max(1, abs(expected).max()))
    back = theirs.inverse_transform(expected)
    np.testing.assert_allclose(
        ours.inverse_transform(found), back, rtol=rtol, atol=rtol * abs(rows).max()
    )


@pytest.mark.parametrize("make", [sparse.csr_array, sparse.csc_array])
def test_equals_scikit_learn_on_sparse_digits(make):
    rows = make(load_digits().data)
    ours = StandardScaler(with_mean=False).fit(rows)
    theirs = sklearn.preprocessing.StandardScaler(with_mean=False).fit(rows)
    np.testing.assert_allclose(ours.var_, theirs.var_, rtol=1e-13)
    np.testing.assert_allclose(ours.mean_, theirs.mean_, rtol=1e-13)
    difference = ours.transform(rows) - theirs.transform(rows)
    assert abs(difference).max() <= 1e-13


def test_sparse_partial_fit_and_weights():
    rows = load_digits().data[:200]
    weights = np.random.default_rng(0).integers(0, 3, 200)
    dense = StandardScaler(with_mean=False).fit(rows, sample_weight=weights)
    batched = StandardScaler(with_mean=False)
    for start in range(0, 200, 30):
        part = slice(start, start + 30)
        batched.partial_fit(sparse.csr_array(rows[part]), sample_weight=weights[part])
    np.testing.assert_allclose(batched.var_, dense.var_, rtol=1e-13, atol=1e-15)
    np.testing.assert_array_equal(batched.scale_ == 1, dense.scale_ == 1)


# Weights -----------------------------------------------------------------------------------


@pytest.mark.parametrize("ddof", [0, 1])
def test_weights_are_repetitions(ddof):
    weights = np.random.default_rng(1).integers(0, 5, 40)
    weighted = StandardScaler(ddof=ddof).fit(ROWS, sample_weight=weights)
    repeated = StandardScaler(ddof=ddof).fit(np.repeat(ROWS, weights, axis=0))
    np.testing.assert_allclose(weighted.mean_, repeated.mean_, rtol=1e-14)
    np.testing.assert_allclose(weighted.var_, repeated.var_, rtol=1e-14)
    assert weighted.n_samples_seen_ == repeated.n_samples_seen_ == weights.sum()


def test_fractional_weights_are_exact():
    weights = np.random.default_rng(2).integers(1, 9, 40) / 8
    scaler = StandardScaler(ddof=1).fit(ROWS, sample_weight=weights)
    exact = truth.variances(ROWS, truth.exact(weights), ddof=1)
    assert truth.digits(scaler.var_, exact) >= truth.tolerance(4)
    assert scaler.n_samples_seen_ == weights.sum()


@pytest.mark.parametrize("weight", [1e-300, 1e-30, 1e19, 1e300])
def test_weights_of_any_size(weight):
    """The same weight for every row changes the count and nothing else."""
    scaler, plain = StandardScaler().fit(ROWS, sample_weight=weight), StandardScaler().fit(ROWS)
    np.testing.assert_allclose(scaler.var_, plain.var_, rtol=1e-14)
    np.testing.assert_allclose(scaler.transform(ROWS), plain.transform(ROWS), rtol=0, atol=1e-13)
    assert scaler.n_samples_seen_ == pytest.approx(40 * weight, rel=1e-14)


@pytest.mark.parametrize("make", [np.asarray, sparse.csr_array, sparse.csc_array])
def test_weights_of_very_different_sizes(make):
    """A zero that weighs 1e-17 of the other row, stored or not, is still another value."""
    rows, weights = [[3.0], [0.0]], [1e17, 1.0]
    scaler = StandardScaler(with_mean=False).fit(make(rows), sample_weight=weights)
    exact = truth.variances(rows, truth.exact(weights))
    assert truth.digits(scaler.var_, exact) >= 14.5
    assert scaler.scale_[0] == pytest.approx(float(truth.root(exact[0])))


def test_rows_of_weight_zero_are_not_there():
    """Neither as numbers nor as infinities of deviation: a huge value of no weight."""
    rows = np.vstack([ROWS, np.full((1, 3), 1e300)])
    weights = np.r_[np.ones(40), 0]
    scaler = StandardScaler().fit(rows, sample_weight=weights)
    np.testing.assert_array_equal(scaler.var_, StandardScaler().fit(ROWS).var_)


# Missing values, constants, few rows ---------------------------------------------------------


def test_missing_values_are_left_out_by_column():
    rows = ROWS.copy()
    rows[0, 0] = rows[1, 0] = rows[5, 2] = np.nan
    scaler = StandardScaler().fit(rows)
    assert scaler.n_samples_seen_.tolist() == [38, 40, 39]
    for column in range(3):
        seen = rows[~np.isnan(rows[:, column]), column]
        assert truth.digits(scaler.var_[column], truth.variance(truth.exact(seen))) >= 15
    np.testing.assert_array_equal(np.isnan(scaler.transform(rows)), np.isnan(rows))
    theirs = sklearn.preprocessing.StandardScaler().fit(rows)
    np.testing.assert_array_equal(scaler.n_samples_seen_, theirs.n_samples_seen_)


def test_as_many_missing_values_in_every_column_make_one_count():
    rows = ROWS.copy()
    rows[[0, 1, 2], [0, 1, 2]] = np.nan
    assert StandardScaler().fit(rows).n_samples_seen_ == 39


@pytest.mark.parametrize("value", [0.0, 1.0, 0.1, -1e15, 1e-300, 1e300, 1.7e308, 5e-324])
@pytest.mark.parametrize("n_rows", [1, 2, 10, 1001])
@pytest.mark.parametrize("size", [2000, 7], ids=["fit", "partial_fit"])
def test_constant_column_becomes_exactly_zero(value, n_rows, size):
    rows = np.full((n_rows, 1), value)
    scaler = StandardScaler()
    for start in range(0, n_rows, size):
        scaler.partial_fit(rows[start : start + size])
    assert scaler.var_[0] == 0
    assert scaler.scale_[0] == 1
    assert scaler.mean_[0] == value
    np.testing.assert_array_equal(scaler.transform(rows), 0)
    np.testing.assert_array_equal(scaler.inverse_transform(np.zeros((2, 1))), value)


@pytest.mark.parametrize("weight", [0.1, 1 / 3, 7, 1e10])
def test_constant_column_with_weights(weight):
    rows = np.full((30, 1), 0.1)
    scaler = StandardScaler().fit(rows, sample_weight=np.linspace(weight, 2 * weight, 30))
    assert scaler.scale_[0] == 1
    np.testing.assert_array_equal(scaler.transform(rows), 0)


@pytest.mark.parametrize(
    "rows", [1e15 + np.arange(4.0), np.array([1e7, 1e7 + 1], np.float32), np.array([0, 5e-323])]
)
def test_narrow_column_is_not_constant(rows):
    result = StandardScaler().fit_transform(rows[:, np.newaxis])
    np.testing.assert_allclose(result.std(axis=0), 1, rtol=1e-6)


@pytest.mark.parametrize(
    "pair", [(0.1 + 0.2, 0.3), (1e15, 1e15 + 0.125), (1.0, 1.0 + 2.2e-16)], ids=str
)
def test_deviation_below_the_spacing_of_floats_is_noise(pair):
    """A column that differs in its last bit only is left in its unit, and not blown up to 1."""
    rows = np.array(pair)[:, np.newaxis]
    scaler = StandardScaler().fit(rows)
    assert scaler.scale_[0] == 1
    assert scaler.var_[0] > 0
    assert np.abs(scaler.transform(rows)).max() <= np.spacing(pair[0])


@pytest.mark.parametrize("value", [0.0, 0.1, 1e15])
def test_bound_of_a_constant_column_does_not_grow_with_rows(value):
    """One ulp above it and below it, 10 or 10,000 times: the same answer."""
    step = 8 * np.spacing(value) if value else 1e-300
    for repeats in (10, 10_000):
        rows = np.repeat([value - step, value + step], repeats)[:, np.newaxis]
        result = StandardScaler().fit_transform(rows)
        np.testing.assert_allclose(np.abs(result), 1, rtol=1e-12)


@pytest.mark.parametrize("ddof", [0, 1, 3])
def test_one_row(ddof):
    scaler = StandardScaler(ddof=ddof).fit([[1.0, -2.0]])
    assert scaler.var_.tolist() == [0, 0]
    assert scaler.scale_.tolist() == [1, 1]
    assert scaler.transform([[1.0, 0.0]]).tolist() == [[0, 2]]


def test_more_ddof_than_rows():
    """No degree of freedom, no estimate: variance 0 and a scale of 1, until one row more comes."""
    scaler = StandardScaler(ddof=2).fit([[0.0], [1.0]])
    assert scaler.var_[0] == 0
    assert scaler.scale_[0] == 1
    assert scaler.partial_fit([[5.0]]).var_[0] == 14  # 4 + 1 + 9 over 1


# Batches, copies, clones --------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 3, 39])
def test_partial_fit_is_fit(size):
    batched = StandardScaler()
    for start in range(0, 40, size):
        batched.partial_fit(ROWS[start : start + size])
    fitted = StandardScaler().fit(ROWS)
    np.testing.assert_allclose(batched.mean_, fitted.mean_, rtol=1e-15)
    np.testing.assert_allclose(batched.var_, fitted.var_, rtol=1e-15)
    assert batched.n_samples_seen_ == 40


def test_partial_fit_goes_on_after_fit_and_fit_begins_again():
    scaler = StandardScaler().fit(ROWS[:10]).partial_fit(ROWS[10:])
    np.testing.assert_allclose(scaler.var_, StandardScaler().fit(ROWS).var_, rtol=1e-15)
    scaler.fit(ROWS[:10])
    np.testing.assert_array_equal(scaler.var_, StandardScaler().fit(ROWS[:10]).var_)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("order", ["C", "F"])
def test_copy_false_writes_in_place(dtype, order):
    rows = np.array(ROWS, dtype=dtype, order=order)
    expected = StandardScaler().fit_transform(rows)
    scaler = StandardScaler(copy=False).fit(rows)
    given = rows.copy(order="K")
    assert np.shares_memory(scaler.transform(given), given)
    np.testing.assert_array_equal(given, expected)
    assert np.shares_memory(scaler.inverse_transform(given), given)
    np.testing.assert_allclose(given, rows, rtol=1e-6 if dtype == np.float32 else 1e-14)


def test_copy_argument_of_transform_wins():
    rows = ROWS.copy()
    scaler = StandardScaler(copy=False).fit(rows)
    assert not np.shares_memory(scaler.transform(rows, copy=True), rows)
    scaler.set_params(copy=True)
    assert np.shares_memory(scaler.transform(rows, copy=False), rows)


def test_fit_transform_is_fit_then_transform_bit_for_bit():
    for rows in (ROWS, ROWS.astype(np.float32), REAL["digits"]):
        together = StandardScaler().fit_transform(rows)
        np.testing.assert_array_equal(together, StandardScaler().fit(rows).transform(rows))


def test_a_row_alone_is_a_row_among_others_bit_for_bit():
    rows = REAL["breast cancer"]
    scaler = StandardScaler().fit(rows)
    together = scaler.transform(rows)
    alone = np.vstack([scaler.transform(row[np.newaxis]) for row in rows])
    np.testing.assert_array_equal(alone, together)


def test_fit_statistic():
    parts = [Moments.of(ROWS[:7]), Moments.of(ROWS[7:])]
    scaler = StandardScaler(ddof=1).fit_statistic(parts[0].merge(parts[1]), ["a", "b", "c"])
    fitted = StandardScaler(ddof=1).fit(ROWS)
    np.testing.assert_allclose(scaler.var_, fitted.var_, rtol=1e-15)
    assert scaler.get_feature_names_out().tolist() == ["a", "b", "c"]
    assert clone(scaler).get_params() == scaler.get_params()


def test_repr_tells_what_was_learned():
    assert repr(StandardScaler()) == "StandardScaler()"
    assert "40 rows x 3 columns" in repr(StandardScaler().fit(ROWS))


@pytest.mark.parametrize("column", [[0.1 + 0.2, 0.3], [1e15, 1e15 + 0.125], [1.0, 1 + 2.0**-52]])
def test_column_that_is_constant_but_for_rounding(column):
    """It becomes exactly 0, and another value its distance, as with any constant column."""
    scaler = StandardScaler().fit(np.array([column]).T)
    assert scaler.scale_[0] == 1
    np.testing.assert_array_equal(scaler.transform(np.array([column]).T), [[0], [0]])
    away = scaler.transform([[column[0] + 4]])[0, 0]
    assert away == pytest.approx(4, abs=2 * np.spacing(column[0] + 4))


@pytest.mark.parametrize(
    "rows",
    [2.0**57 + np.array([0.0, 32, 16, 48, 32]), [1e200, 3e200], [1e-200, 3e-200], [0.1, 0.2, 0.7]],
    ids=["constant but for rounding", "huge", "tiny", "ordinary"],
)
def test_attributes_set_by_hand_are_all_that_counts(rows):
    """What belonged to the mean and the scale that were learned goes with them."""
    rows = np.reshape(rows, (-1, 1))
    scaler = StandardScaler().fit(rows)
    scaler.mean_, scaler.scale_ = np.array([1.0]), np.array([2.0])
    np.testing.assert_array_equal(scaler.transform([[4.0], [1.0]]), [[1.5], [0]])
    np.testing.assert_array_equal(scaler.inverse_transform([[1.5], [0.0]]), [[4], [1]])
    scaler = StandardScaler().fit(rows)
    scaler.mean_ = scaler.mean_.copy()
    np.testing.assert_array_equal(scaler.transform(rows), StandardScaler().fit_transform(rows))

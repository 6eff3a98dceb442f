"""BatchNormalizer: pooled and running statistics, and nothing of the rows it transforms."""

from fractions import Fraction

import numpy as np
import pytest
from sklearn.datasets import load_digits, load_wine

from skscale import BatchNormalizer, StandardScaler
from skscale.statistics import PooledBatches, RunningMoments

from .. import truth

ROWS = np.random.default_rng(0).normal(size=(50, 3)) * [1, 10, 0.1] + [0, 100, -5]
MOMENTA = [0.01, 0.1, 0.5, 0.9, 1.0, "cumulative"]


def batches_of(rows, size):
    """As documented: in order, and the remainder joins the last one."""
    n = max(1, len(rows) // size)
    return [rows[i * size : (i + 1) * size if i < n - 1 else len(rows)] for i in range(n)]


@pytest.mark.parametrize("momentum", [None, 0.5, "cumulative"])
@pytest.mark.parametrize("ddof", [3, 5])
def test_no_more_values_than_ddof_have_no_variance(momentum, ddof):
    """As a constant column, they are centred."""
    few = BatchNormalizer(momentum=momentum, ddof=ddof).fit(ROWS[:3])
    np.testing.assert_array_equal(few.running_var_, 0)
    expected = ROWS[:3] - ROWS[:3].mean(axis=0)
    np.testing.assert_allclose(few.transform(ROWS[:3]), expected, rtol=1e-12, atol=1e-12)


# Pooled --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "rows", [ROWS, load_wine().data, load_digits().data], ids=["normal", "wine", "digits"]
)
def test_pooled_is_standard_scaler(rows):
    normalizer, scaler = BatchNormalizer().fit(rows), StandardScaler().fit(rows)
    np.testing.assert_allclose(normalizer.running_mean_, scaler.mean_, rtol=1e-14)
    np.testing.assert_allclose(normalizer.running_var_, scaler.var_, rtol=1e-14)
    np.testing.assert_allclose(normalizer.transform(rows), scaler.transform(rows), atol=1e-13)


@pytest.mark.parametrize("size", [1, 2, 7, 49, 50, 1000])
@pytest.mark.parametrize("ddof", [0, 1])
def test_pooled_is_exact_for_any_batch_size(size, ddof):
    normalizer = BatchNormalizer(size, ddof=ddof).fit(ROWS)
    assert truth.digits(normalizer.running_mean_, truth.means(ROWS)) >= truth.tolerance(1)
    assert truth.digits(normalizer.running_var_, truth.variances(ROWS, ddof=ddof)) >= 15
    streamed = BatchNormalizer(ddof=ddof)
    for start in range(0, 50, size):
        streamed.partial_fit(ROWS[start : start + size])
    assert truth.digits(streamed.running_var_, truth.variances(ROWS, ddof=ddof)) >= 15
    assert streamed.n_batches_seen_ == -(-50 // size)


def test_pooled_does_not_depend_on_the_order():
    forward = BatchNormalizer(8).fit(ROWS)
    backward = BatchNormalizer(8).fit(ROWS[::-1])
    np.testing.assert_allclose(forward.running_var_, backward.running_var_, rtol=1e-15)


# Running -------------------------------------------------------------------------------------


def check_running(normalizer, batches, momentum, ddof=0):
    for column in range(batches[0].shape[1]):
        mean, variance = truth.running([part[:, column] for part in batches], momentum, ddof)
        spread = np.ptp(np.concatenate(batches)[:, column])
        scale = abs(mean) + Fraction(float(spread))
        assert truth.digits(normalizer.running_mean_[column], mean, scale=scale) >= 15
        if variance:
            assert truth.digits(normalizer.running_var_[column], variance) >= 14.5
        else:
            assert normalizer.running_var_[column] == 0


@pytest.mark.parametrize("momentum", MOMENTA)
@pytest.mark.parametrize("size", [1, 2, 7, 24, 26, 50, 256])
@pytest.mark.parametrize("ddof", [0, 1])
def test_running_averages_of_fit(momentum, size, ddof):
    """``new = (1 - m) old + m batch``, debiased; the remainder joins the last batch."""
    normalizer = BatchNormalizer(size, momentum=momentum, ddof=ddof).fit(ROWS)
    batches = batches_of(ROWS, size)
    check_running(normalizer, batches, momentum, ddof)
    assert normalizer.n_batches_seen_ == len(batches)
    assert normalizer.n_samples_seen_ == 50


@pytest.mark.parametrize("momentum", MOMENTA)
def test_running_averages_of_partial_fit(momentum):
    """One call is one mini-batch, whatever its size and whatever `batch_size` says."""
    cuts = [3, 4, 5, 20, 21, 40]
    batches = np.split(ROWS, cuts)
    normalizer = BatchNormalizer(2, momentum=momentum)
    for i, batch in enumerate(batches):
        normalizer.partial_fit(batch)
        check_running(normalizer, batches[: i + 1], momentum)
        assert normalizer.n_batches_seen_ == i + 1


def test_partial_fit_goes_on_after_fit():
    normalizer = BatchNormalizer(20, momentum=0.3).fit(ROWS[:40]).partial_fit(ROWS[40:])
    check_running(normalizer, [ROWS[:20], ROWS[20:40], ROWS[40:]], 0.3)


def test_remainder_joins_the_last_batch():
    assert [len(batch) for batch in batches_of(ROWS, 20)] == [20, 30]
    for momentum in (None, 0.1):
        assert BatchNormalizer(20, momentum=momentum).fit(ROWS).n_batches_seen_ == 2
        assert BatchNormalizer(26, momentum=momentum).fit(ROWS).n_batches_seen_ == 1
        assert BatchNormalizer(10, momentum=momentum).fit(ROWS).n_batches_seen_ == 5


def test_momentum_one_is_the_last_batch():
    normalizer = BatchNormalizer(10, momentum=1).fit(ROWS)
    np.testing.assert_allclose(normalizer.running_mean_, ROWS[40:].mean(axis=0), rtol=1e-14)
    np.testing.assert_allclose(normalizer.running_var_, ROWS[40:].var(axis=0), rtol=1e-14)


def test_running_averages_depend_on_the_order():
    """By definition; a mean of the batches would not."""
    forward = BatchNormalizer(10, momentum=0.5).fit(ROWS)
    backward = BatchNormalizer(10, momentum=0.5).fit(ROWS[::-1])
    assert not np.allclose(forward.running_mean_, backward.running_mean_)


def test_no_start_value_is_left():
    """PyTorch begins with mean 0 and variance 1; a tiny momentum would keep them for long."""
    rows = np.random.default_rng(0).normal(size=(64, 1)) * 1e-3 + 1e6
    normalizer = BatchNormalizer(16, momentum=1e-6).fit(rows)
    assert normalizer.running_mean_[0] == pytest.approx(1e6, abs=1e-3)
    assert normalizer.running_var_[0] == pytest.approx(1e-6, rel=0.5)


def test_batch_of_one_row_moves_the_mean_only():
    first, row = ROWS[:10], ROWS[10:11]
    normalizer = BatchNormalizer(momentum=0.25).partial_fit(first)
    variance = normalizer.running_var_.copy()
    normalizer.partial_fit(row)
    np.testing.assert_array_equal(normalizer.running_var_, variance)
    check_running(normalizer, [first, row], 0.25)


@pytest.mark.parametrize("momentum", [None, 0.1])
def test_only_batches_of_one_row(momentum):
    """Pooled they have a variance; running they have none, and the columns count as constant."""
    normalizer = BatchNormalizer(momentum=momentum)
    for row in ROWS:
        normalizer.partial_fit(row[np.newaxis])
    if momentum is None:
        np.testing.assert_allclose(normalizer.running_var_, ROWS.var(axis=0), rtol=1e-13)
    else:
        assert normalizer.running_var_.tolist() == [0, 0, 0]
        expected = ROWS - normalizer.running_mean_
        np.testing.assert_allclose(normalizer.transform(ROWS), expected, atol=1e-13)


@pytest.mark.parametrize("unit", [1e-170, 1e-300, 1e170])
def test_running_averages_in_any_unit(unit):
    """A constant batch first, whose variance of 0 has no unit to impose on the next one."""
    rows = np.array([[0.0], [0.0], [1.0], [3.0]])
    expected = BatchNormalizer(2, momentum=0.5).fit(rows)
    found = BatchNormalizer(2, momentum=0.5).fit(rows * unit)
    np.testing.assert_allclose(found.transform(rows * unit), expected.transform(rows), rtol=1e-12)


# Transform -----------------------------------------------------------------------------------


@pytest.mark.parametrize("momentum", [None, 0.3])
@pytest.mark.parametrize("epsilon", ["auto", 1e-5, 2.0])
@pytest.mark.parametrize("affine", [None, (2.0, -1.0), ([1, 2, 3], [0.0, 5.0, -5.0])])
def test_formula(momentum, epsilon, affine):
    normalizer = BatchNormalizer(10, momentum=momentum, epsilon=epsilon, affine=affine).fit(ROWS)
    floor = 0 if epsilon == "auto" else epsilon
    gamma, beta = (1.0, 0.0) if affine is None else affine
    normal = (ROWS - normalizer.running_mean_) / np.sqrt(normalizer.running_var_ + floor)
    expected = np.asarray(gamma) * normal + np.asarray(beta)
    np.testing.assert_allclose(normalizer.transform(ROWS), expected, rtol=0, atol=1e-12)
    np.testing.assert_array_equal(normalizer.gamma_, np.broadcast_to(gamma, 3))
    np.testing.assert_array_equal(normalizer.beta_, np.broadcast_to(beta, 3))
    back = normalizer.inverse_transform(normalizer.transform(ROWS))
    np.testing.assert_allclose(back, ROWS, rtol=1e-13, atol=1e-12)


@pytest.mark.parametrize("n_rows", [1, 5, 50])
@pytest.mark.parametrize("momentum", [None, 0.3])
def test_transform_does_not_look_at_its_own_batch(n_rows, momentum):
    """A row alone, among others, and among strangers: the same bits."""
    normalizer = BatchNormalizer(10, momentum=momentum, affine=(3.0, 2.0)).fit(ROWS)
    together = normalizer.transform(ROWS)
    np.testing.assert_array_equal(normalizer.transform(ROWS[:n_rows]), together[:n_rows])
    strangers = np.vstack([ROWS[:n_rows], 1e6 + ROWS])
    np.testing.assert_array_equal(normalizer.transform(strangers)[:n_rows], together[:n_rows])


def test_epsilon_has_the_unit_of_the_variance():
    """A column whose deviation is far below its square root is shrunk; "auto" is not fooled."""
    rows = ROWS[:, :1] * 1e-6
    fixed = BatchNormalizer(epsilon=1e-5).fit_transform(rows)
    auto = BatchNormalizer().fit_transform(rows)
    assert fixed.std() < 1e-3
    assert auto.std() == pytest.approx(1)


@pytest.mark.parametrize("unit", [1e-320, 1e-200, 1e-160, 1e160, 1e300])
def test_epsilon_in_any_unit(unit):
    """``sqrt(var + epsilon)`` is the larger of two where the other vanishes beside it."""
    rows = np.array([[-1.0], [1.0]]) * unit
    result = BatchNormalizer(epsilon=0.25).fit_transform(rows)
    expected = 1.0 if unit > 1 else 2 * rows[1, 0]
    np.testing.assert_allclose(result.ravel(), [-expected, expected], rtol=1e-13)


@pytest.mark.parametrize("momentum", [None, 0.5])
@pytest.mark.parametrize("epsilon", ["auto", 1e-5])
@pytest.mark.parametrize("value", [0.0, 0.1, 1e15, 1e300])
def test_constant_column_becomes_beta(momentum, epsilon, value):
    rows = np.full((9, 1), value)
    normalizer = BatchNormalizer(4, momentum=momentum, epsilon=epsilon, affine=(3.0, 7.0)).fit(rows)
    assert normalizer.running_var_[0] == 0
    np.testing.assert_array_equal(normalizer.transform(rows), 7)
    np.testing.assert_array_equal(normalizer.inverse_transform([[7.0]]), value)


@pytest.mark.parametrize("momentum", [None, 0.5])
def test_one_row(momentum):
    normalizer = BatchNormalizer(momentum=momentum, affine=(2.0, 1.0)).fit([[5.0, -3.0]])
    assert normalizer.running_mean_.tolist() == [5, -3]
    assert normalizer.running_var_.tolist() == [0, 0]
    assert normalizer.transform([[5.0, -2.0]]).tolist() == [[1, 3]]
    assert (normalizer.n_batches_seen_, normalizer.n_samples_seen_) == (1, 1)


def test_gamma_zero():
    """All is beta; what comes back is the mean, and NaN stays NaN."""
    normalizer = BatchNormalizer(affine=(0.0, 4.0)).fit(ROWS)
    np.testing.assert_array_equal(normalizer.transform(ROWS), 4)
    back = normalizer.inverse_transform([[4.0, 9.0, np.nan]])
    np.testing.assert_allclose(back[0, :2], normalizer.running_mean_[:2], rtol=1e-14)
    assert np.isnan(back[0, 2])


def test_negative_gamma():
    normalizer = BatchNormalizer(affine=(-2.0, 1.0)).fit(ROWS)
    back = normalizer.inverse_transform(normalizer.transform(ROWS))
    np.testing.assert_allclose(back, ROWS, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("affine", [None, (1e4, 1.0), (3.0, -2.0)])
def test_float32_is_rounded_once(affine):
    """Normalized, scaled and shifted in float64: the nearest float32 to within one."""
    rows = ROWS.astype(np.float32)
    normalizer = BatchNormalizer(affine=affine).fit(rows)
    result = normalizer.transform(rows)
    assert result.dtype == np.float32
    exact = normalizer.transform(rows.astype(np.float64))
    assert (np.abs(result - exact) <= np.spacing(np.abs(exact).astype(np.float32))).all()


# Missing values, weights, statistics ---------------------------------------------------------


@pytest.mark.parametrize("momentum", [None, 0.3])
def test_missing_values_are_left_out(momentum):
    """Of their column; a batch in which a column has no value does not move it."""
    rows = ROWS.copy()
    rows[:10, 0] = rows[12, 1] = np.nan
    normalizer = BatchNormalizer(10, momentum=momentum).fit(rows)
    for column in range(2):
        batches = [part[~np.isnan(part[:, column]), column] for part in np.split(rows, 5)]
        batches = [batch for batch in batches if len(batch)]
        if momentum is None:
            values = truth.exact(np.concatenate(batches))
            mean, variance = truth.mean(values), truth.variance(values)
        else:
            mean, variance = truth.running(batches, momentum)
        assert truth.digits(normalizer.running_mean_[column], mean, scale=abs(mean) + 1) >= 15
        assert truth.digits(normalizer.running_var_[column], variance) >= 14.5
    np.testing.assert_array_equal(np.isnan(normalizer.transform(rows)), np.isnan(rows))


@pytest.mark.parametrize("momentum", [None, 0.3])
def test_weights_are_repetitions_within_a_batch(momentum):
    weights = np.random.default_rng(0).integers(0, 4, 50)
    weighted, repeated = (BatchNormalizer(momentum=momentum) for _ in range(2))
    for start in range(0, 50, 10):
        part, weight = ROWS[start : start + 10], weights[start : start + 10]
        weighted.partial_fit(part, sample_weight=weight)
        repeated.partial_fit(np.repeat(part, weight, axis=0))
    np.testing.assert_allclose(weighted.running_mean_, repeated.running_mean_, rtol=1e-13)
    np.testing.assert_allclose(weighted.running_var_, repeated.running_var_, rtol=1e-13)
    assert weighted.n_samples_seen_ == repeated.n_samples_seen_ == weights.sum()


@pytest.mark.parametrize("momentum", [None, 0.3])
def test_batch_without_weight_is_no_batch(momentum):
    weights = np.ones(50)
    weights[10:20] = 0
    normalizer = BatchNormalizer(10, momentum=momentum).fit(ROWS, sample_weight=weights)
    kept = np.delete(ROWS, slice(10, 20), axis=0)
    expected = BatchNormalizer(10, momentum=momentum).fit(kept)
    np.testing.assert_allclose(normalizer.running_mean_, expected.running_mean_, rtol=1e-14)
    np.testing.assert_allclose(normalizer.running_var_, expected.running_var_, rtol=1e-14)
    if momentum is not None:
        assert normalizer.n_batches_seen_ == 4


def test_statistics():
    assert isinstance(BatchNormalizer().fit(ROWS).statistic_, PooledBatches)
    statistic = RunningMoments.of(ROWS[:20], momentum=0.3).merge(
        RunningMoments.of(ROWS[20:], momentum=0.3)
    )
    normalizer = BatchNormalizer(momentum=0.3).fit_statistic(statistic)
    check_running(normalizer, [ROWS[:20], ROWS[20:]], 0.3)


def test_many_rows_in_threads():
    """Blocks go to threads; the batches, their order and the remainder do not change."""
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(100_003, 12)) + np.linspace(0, 3, 100_003)[:, np.newaxis]
    normalizer = BatchNormalizer(1000, momentum=0.2).fit(rows)
    assert normalizer.n_batches_seen_ == 100
    mean = variance = 0.0
    for batch in batches_of(rows, 1000):
        mean = 0.8 * mean + 0.2 * batch.mean(axis=0)
        variance = 0.8 * variance + 0.2 * batch.var(axis=0)
    weight = 1 - 0.8**100
    np.testing.assert_allclose(normalizer.running_mean_, mean / weight, rtol=1e-12)
    np.testing.assert_allclose(normalizer.running_var_, variance / weight, rtol=1e-12)
    pooled = BatchNormalizer(1000).fit(rows)
    assert pooled.n_batches_seen_ == 100
    np.testing.assert_allclose(pooled.running_var_, rows.var(axis=0), rtol=1e-12)


def test_affine_set_after_fit_waits_for_the_next():
    rows = np.random.default_rng(0).normal(size=(20, 3))
    normalizer = BatchNormalizer(affine=(2.0, 3.0)).fit(rows).set_params(affine=None)
    np.testing.assert_allclose(normalizer.inverse_transform(normalizer.transform(rows)), rows)


@pytest.mark.parametrize("gamma", [1e300, 1e-310])
def test_gamma_beyond_float32(gamma):
    """Infinite where float32 ends, and no warning: as for every other transformer."""
    rows = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
    normalizer = BatchNormalizer(affine=(gamma, 0.0)).fit(rows)
    normalizer.transform(rows)
    normalizer.inverse_transform(rows)

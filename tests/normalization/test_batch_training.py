"""The training step of BatchNormalizer: the batch's own statistics, and what is learned."""

from fractions import Fraction

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from skscale import BatchNormalizer
from skscale.errors import (
    FrozenTransformerError,
    InfiniteValueError,
    SampleWeightError,
    SchemaError,
)
from skscale.leakage import freeze

from .. import truth

drawn = np.random.default_rng(0)
ROWS = drawn.normal(size=(60, 3)) * [1, 10, 0.1] + [0, 100, -5]
BATCHES = [ROWS[:20], ROWS[20:25] * 2, ROWS[25:]]
MOMENTA = [None, 0.1, 1.0, "cumulative"]


def state(normalizer):
    """All that was learned, as bytes."""
    learned = {k: v for k, v in vars(normalizer).items() if k.endswith("_")}
    return {k: v.tobytes() if isinstance(v, np.ndarray) else repr(v) for k, v in learned.items()}


def by_own(rows, epsilon=0.0):
    return (rows - rows.mean(axis=0)) / np.sqrt(rows.var(axis=0) + epsilon)


@pytest.mark.parametrize("momentum", MOMENTA)
@pytest.mark.parametrize("ddof", [0, 1])
@pytest.mark.parametrize("epsilon", ["auto", 1e-5])
def test_by_the_statistics_of_the_batch(momentum, ddof, epsilon):
    """Variance of ddof 0, as frameworks take it, and what `partial_fit` learns to the bit."""
    affine = (np.array([2.0, -1.0, 0.5]), 1.0)
    given = {"momentum": momentum, "ddof": ddof, "epsilon": epsilon, "affine": affine}
    normalizer, learner = BatchNormalizer(**given), BatchNormalizer(**given)
    for batch in BATCHES:
        found = normalizer.normalize_batch(batch)
        expected = affine[0] * by_own(batch, 0 if epsilon == "auto" else epsilon) + 1
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
        assert state(normalizer) == state(learner.partial_fit(batch))


@pytest.mark.parametrize("momentum", [0.1, 1.0, "cumulative"])
def test_running_statistics_of_pytorch(momentum):
    """``ddof=1``; its start values of 0 and 1 taken out of them, as exact rationals."""
    normalizer = BatchNormalizer(momentum=momentum, ddof=1, epsilon=1e-5)
    mean, variance = [Fraction(0)] * 3, [Fraction(1)] * 3
    for t, batch in enumerate(BATCHES, 1):
        normalizer.normalize_batch(batch)
        share = Fraction(1, t) if momentum == "cumulative" else truth.rational(momentum)
        for j, column in enumerate(batch.T):
            values = list(truth.exact(column))
            mean[j] = (1 - share) * mean[j] + share * truth.mean(values)
            variance[j] = (1 - share) * variance[j] + share * truth.variance(values, ddof=1)
        start = Fraction(0) if momentum == "cumulative" else (1 - share) ** t
        for j in range(3):
            debiased = mean[j] / (1 - start), (variance[j] - start) / (1 - start)
            scale = abs(debiased[0]) + 1
            assert truth.digits(normalizer.running_mean_[j], debiased[0], scale=scale) >= 15
            assert truth.digits(normalizer.running_var_[j], debiased[1]) >= 14.5


# Renormalization -----------------------------------------------------------------------------


@pytest.mark.parametrize("momentum", [None, 0.2, "cumulative"])
@pytest.mark.parametrize("epsilon", ["auto", 1e-3])
@pytest.mark.parametrize("renorm", [(1, 0), (1.5, 0.2), (3.0, 5.0)])
def test_renormalization(momentum, epsilon, renorm):
    """Ioffe (2017), algorithm 1, from the statistics before the batch."""
    r_max, d_max = renorm
    normalizer = BatchNormalizer(
        momentum=momentum, epsilon=epsilon, renorm=renorm, affine=(2.0, [1.0, 0.0, -1.0])
    )
    learner = BatchNormalizer(momentum=momentum, epsilon=epsilon)
    floor = 0 if epsilon == "auto" else epsilon
    for i, batch in enumerate(BATCHES):
        r, d = np.ones(3), np.zeros(3)
        if i:
            sigma = np.sqrt(learner.running_var_ + floor)
            r = np.clip(np.sqrt(batch.var(axis=0) + floor) / sigma, 1 / r_max, r_max)
            d = np.clip((batch.mean(axis=0) - learner.running_mean_) / sigma, -d_max, d_max)
        expected = 2 * (by_own(batch, floor) * r + d) + [1.0, 0.0, -1.0]
        found = normalizer.normalize_batch(batch)
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
        learner.partial_fit(batch)
    np.testing.assert_array_equal(normalizer.running_var_, learner.running_var_)
    assert normalizer.gamma_.tolist() == [2, 2, 2]


def test_renormalization_without_limits_is_transform():
    """One row too: by what was learned before the batch."""
    normalizer = BatchNormalizer(momentum=0.3, renorm=(1e300, 1e300)).fit(BATCHES[0])
    for batch in (BATCHES[1], BATCHES[2][:1], BATCHES[2]):
        expected = normalizer.transform(batch)
        found = normalizer.normalize_batch(batch)
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


def test_renormalization_far_from_zero():
    """The low half of a mean counts: a third is no multiple of the spacing of floats there."""
    rows = 1e15 + np.array([[0.0], [1.0], [1.0]])
    normalizer = BatchNormalizer(renorm=(1e9, 1e9)).fit(rows[:2])
    np.testing.assert_allclose(normalizer.normalize_batch(rows).ravel(), [-1, 1, 1], rtol=1e-14)


@pytest.mark.parametrize(("before", "now"), [(1e-200, 1e-195), (1e200, 1e195), (1.0, 1e-180)])
def test_renormalization_in_any_unit(before, now):
    normalizer = BatchNormalizer(renorm=(1e200, 1e9)).fit(ROWS[:20, :1] * before)
    mean, deviation = ROWS[:20, 0].mean(), ROWS[:20, 0].std()
    found = normalizer.normalize_batch(ROWS[20:40, :1] * now).ravel()
    expected = (ROWS[20:40, 0] * (now / before) - mean) / deviation
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


def test_renormalization_of_columns_first_seen_now():
    """Their own statistics, as in a first batch; and no trace in those that are not there."""
    first, second = ROWS[:20].copy(), ROWS[20:40].copy()
    first[:, 0], second[:, 1] = np.nan, np.nan
    normalizer = BatchNormalizer(renorm=(3, 5))
    with pytest.warns(UserWarning, match="without a single value: 0"):
        normalizer.normalize_batch(first)
    found = normalizer.normalize_batch(second)
    np.testing.assert_allclose(found[:, 0], by_own(second[:, :1])[:, 0], rtol=1e-12)
    assert np.isnan(found[:, 1]).all()
    assert np.isfinite(normalizer.running_mean_).all()


# One row, missing values, weights ------------------------------------------------------------


@pytest.mark.parametrize("epsilon", ["auto", 1e-5])
@pytest.mark.parametrize("momentum", [0.25, "cumulative"])
def test_batch_of_one_row(epsilon, momentum):
    """Goes to beta; moves the mean and not the variance."""
    normalizer = BatchNormalizer(momentum=momentum, epsilon=epsilon, affine=(2.0, 7.0))
    assert normalizer.normalize_batch(ROWS[:1]).tolist() == [[7, 7, 7]]
    normalizer = BatchNormalizer(momentum=momentum, epsilon=epsilon, affine=(2.0, 7.0))
    normalizer.partial_fit(ROWS[:10])
    mean, variance = normalizer.running_mean_.copy(), normalizer.running_var_.copy()
    assert normalizer.normalize_batch(ROWS[10:11]).tolist() == [[7, 7, 7]]
    assert (normalizer.running_mean_ != mean).all()
    np.testing.assert_array_equal(normalizer.running_var_, variance)


@pytest.mark.parametrize("momentum", [None, 0.3])
def test_missing_values(momentum):
    rows = ROWS[:20].copy()
    rows[[2, 5], [0, 2]] = np.nan
    found = BatchNormalizer(momentum=momentum).normalize_batch(rows)
    expected = (rows - np.nanmean(rows, axis=0)) / np.nanstd(rows, axis=0)
    np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-12)


def test_weights():
    """Repetitions; a row of weight 0 is normalized and not counted."""
    weights = np.arange(20) % 3
    normalizer, repeated = BatchNormalizer(momentum=0.3), BatchNormalizer(momentum=0.3)
    found = normalizer.normalize_batch(ROWS[:20], weights)
    many = np.repeat(ROWS[:20], weights, axis=0)
    np.testing.assert_allclose(
        np.repeat(found, weights, axis=0), repeated.normalize_batch(many), rtol=1e-12, atol=1e-12
    )
    np.testing.assert_allclose(normalizer.running_var_, repeated.running_var_, rtol=1e-13)
    assert normalizer.n_samples_seen_ == weights.sum()
    expected = (ROWS[0] - many.mean(axis=0)) / many.std(axis=0)
    np.testing.assert_allclose(found[0], expected, rtol=1e-11)


def test_float32():
    rows = ROWS.astype(np.float32)
    found = BatchNormalizer().normalize_batch(rows)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, by_own(rows.astype(float)), rtol=2e-7, atol=1e-7)


# What it leaves alone ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "weights", "error"),
    [
        ([[1.0, 2.0, np.inf]], None, InfiniteValueError),
        (ROWS[:, :2], None, SchemaError),
        (ROWS[:2], [1.0], SampleWeightError),
        (ROWS[:0], None, ValueError),
        ([["a", "b", "c"]], None, (TypeError, ValueError)),
    ],
)
def test_a_call_that_fails_changes_nothing(rows, weights, error):
    normalizer = BatchNormalizer(momentum=0.3, renorm=(3, 5)).fit(ROWS[:10])
    before = state(normalizer)
    with pytest.raises(error):
        normalizer.normalize_batch(rows, weights)
    assert state(normalizer) == before
    fresh = BatchNormalizer()
    with pytest.raises((TypeError, ValueError)):
        fresh.normalize_batch([[1.0, np.inf]])
    with pytest.raises(NotFittedError):
        fresh.transform(ROWS)


def test_rows_are_not_written_to_and_transform_not_moved():
    rows = ROWS.copy()
    normalizer = BatchNormalizer(momentum=0.5).fit(rows)
    statistic, image = normalizer.statistic_, normalizer.transform(rows)
    normalizer.transform(rows[:3] * 100)
    assert normalizer.statistic_ is statistic
    np.testing.assert_array_equal(normalizer.transform(rows), image)
    normalizer.normalize_batch(rows)
    np.testing.assert_array_equal(rows, ROWS)


def test_a_frozen_one_refuses():
    with pytest.raises(FrozenTransformerError, match="normalize_batch"):
        freeze(BatchNormalizer().fit(ROWS)).normalize_batch(ROWS)


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_frames(library):
    """As from `transform`: frames if asked for, with names and labels of rows."""
    frames = pytest.importorskip(library)
    frame = frames.DataFrame({"a": ROWS[:, 0], "b": ROWS[:, 1]})
    normalizer = BatchNormalizer()
    plain = normalizer.normalize_batch(frame)
    assert isinstance(plain, np.ndarray)
    found = BatchNormalizer().set_output(transform=library).normalize_batch(frame)
    assert isinstance(found, frames.DataFrame)
    assert list(found.columns) == ["a", "b"]
    np.testing.assert_array_equal(np.asarray(found), plain)
    with pytest.raises(SchemaError, match="b"):
        normalizer.normalize_batch(frame[["a"]])


def test_many_rows():
    """In blocks and threads, as one batch."""
    rows = np.random.default_rng(1).normal(size=(200_000, 8)) + np.arange(8)
    normalizer = BatchNormalizer(momentum=0.1)
    np.testing.assert_allclose(normalizer.normalize_batch(rows), by_own(rows), atol=1e-11)
    assert normalizer.n_batches_seen_ == 1


# Averages over an epoch ----------------------------------------------------------------------


@pytest.mark.parametrize("size", [2, 16, 100, 1000, 4096])
@pytest.mark.parametrize("momentum", [0.001, 0.1, 0.5, "cumulative", None])
def test_one_epoch_of_stationary_rows(size, momentum):
    """The mean is within 5 standard errors of the truth, from the weights of the batches."""
    rows = np.random.default_rng(2).normal(size=(4096, 20)) * 1e-2 + 1e3
    normalizer = BatchNormalizer(size, momentum=momentum, ddof=1).fit(rows)
    n = len(rows) // size
    decay = 1.0 if momentum in (None, "cumulative") else 1 - momentum
    weights = decay ** np.arange(n)[::-1]
    weights /= weights.sum()
    error = 1e-2 * np.sqrt((weights**2).sum() / size)
    assert (np.abs(normalizer.running_mean_ - 1e3) < 5 * error).all()
    spread = 1e-4 * np.sqrt(2 / max(size - 1, 1) * (weights**2).sum())
    assert (np.abs(normalizer.running_var_ - 1e-4) < 6 * spread).all()


@pytest.mark.parametrize("size", [7, 64, 5000])
def test_pooled_statistics_of_rows_in_order_of_time(size):
    rows = np.sort(np.random.default_rng(3).normal(size=(500, 1)) * 3 + 1e6, axis=0)
    normalizer = BatchNormalizer(size, ddof=1).fit(rows)
    assert truth.digits(normalizer.running_mean_, truth.means(rows)) >= 15
    assert truth.digits(normalizer.running_var_, truth.variances(rows, ddof=1)) >= 15


@pytest.mark.parametrize("sigma", [1.0, 1e-2, 1e-8, 1e-150])
@pytest.mark.parametrize("momentum", MOMENTA)
def test_small_units_come_out_as_large_ones(sigma, momentum):
    rows = np.random.default_rng(4).normal(size=(1024, 2)) * sigma
    normalizer = BatchNormalizer(1024, momentum=momentum).fit(rows)
    np.testing.assert_allclose(normalizer.transform(rows).std(axis=0), 1, rtol=1e-12)
    trained = BatchNormalizer(momentum=momentum).normalize_batch(rows)
    np.testing.assert_allclose(trained.std(axis=0), 1, rtol=1e-12)

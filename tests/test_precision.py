"""Digits, counted against exact values of the numbers that were given.

A count is minus log10 of the relative error, so that 15.65 digits are one eps. Tolerances are
``c * eps * condition``; where a bound is written as digits, it is one that the package promises.
"""

import numpy as np
import pytest
import sklearn.covariance

from skscale import PCA, BatchNormalizer, MinMaxScaler, StandardScaler, Whitener

from . import truth

N = 2000
OFFSETS = [10.0**k for k in range(16)]
BATCHES = {"all": N, "1000": 1000, "100": 100, "10": 10, "1": 1}
MEANS = [1.0, 1e3, 1e7, 1e10, 1e13]
SOLVERS = ["full", "covariance_eigh", "auto"]
METHODS = ["zca", "zca-cor", "pca", "pca-cor", "cholesky"]


@pytest.fixture(scope="module")
def offset_rows():
    """One column of standard deviation 1 per offset."""
    return np.random.default_rng(0).normal(size=(N, len(OFFSETS))) + OFFSETS


@pytest.fixture(scope="module")
def exact_moments(offset_rows):
    return truth.means(offset_rows), truth.variances(offset_rows)


def in_batches(transformer, rows, size):
    for start in range(0, len(rows), size):
        transformer.partial_fit(rows[start : start + size])
    return transformer


# Scalers ----------------------------------------------------------------------------------


@pytest.mark.parametrize("size", BATCHES.values(), ids=BATCHES)
def test_variance_at_every_offset_and_batch_size(offset_rows, exact_moments, size):
    exact_mean, exact_variance = exact_moments
    scaler = in_batches(StandardScaler(), offset_rows, size)
    found = truth.digits_of_each(scaler.var_, exact_variance)
    assert (found >= 14.5).all(), dict(zip(OFFSETS, found.round(1), strict=True))
    assert truth.digits(scaler.mean_, exact_mean) >= truth.tolerance(1)


@pytest.mark.parametrize("size", [N, 7], ids=["all", "7"])
def test_variance_with_weights_and_missing_values(size):
    rng = np.random.default_rng(1)
    rows = rng.normal(loc=[0, 1e8, 1e15], size=(300, 3))
    weights = rng.integers(0, 4, 300) / 4
    missing = rng.random(rows.shape) < 0.2
    rows[missing] = np.nan
    scaler = StandardScaler(ddof=0.5)
    for start in range(0, len(rows), size):
        part = slice(start, start + size)
        scaler.partial_fit(rows[part], sample_weight=weights[part])
    for column in range(3):
        seen = ~missing[:, column]
        values, weight = truth.exact(rows[seen, column]), truth.exact(weights[seen])
        exact = truth.variance(values, weight, ddof=0.5)
        assert truth.digits(scaler.var_[column], exact) >= 14.5
        mean = truth.mean(values, weight)
        assert truth.digits(scaler.mean_[column], mean, scale=abs(mean) + 1) >= truth.tolerance(1)


@pytest.mark.parametrize("kind", [StandardScaler, BatchNormalizer])
def test_variance_of_many_batches_that_add_little_each(kind):
    """After two rows at +-1e8 every row adds 1 to 2e16, where floats are 4 apart."""
    rows = np.r_[1e8, -1e8, np.tile([1.0, -1.0], 1500)][:, np.newaxis]
    transformer = in_batches(kind(), rows, 1)
    found = transformer.var_ if kind is StandardScaler else transformer.running_var_
    assert truth.digits(found[0], truth.variances(rows)[0]) >= 15


@pytest.mark.parametrize("period", [2, 5, 8, 16, 32, 64, 100])
@pytest.mark.parametrize("outlier", [1e4, 1e8, -1e12])
def test_variance_where_every_so_many_rows_mislead(period, outlier):
    """Rows far away that weigh nothing to speak of, at any stride at which one might sample."""
    rows = np.random.default_rng(14).normal(size=(300, 1))
    weights = np.ones(300)
    rows[::period], weights[::period] = outlier, 2.0**-120
    values, weight = truth.exact(rows[:, 0]), truth.exact(weights)
    scaler = StandardScaler().fit(rows, sample_weight=weights)
    assert truth.digits(scaler.var_[0], truth.variance(values, weight)) >= 14.5
    assert truth.digits(scaler.mean_[0], truth.mean(values, weight), scale=1) >= 15


@pytest.mark.parametrize("unit", [1e-300, 1e-160, 1e-100, 1e100, 1e160, 1e300])
def test_standard_deviation_in_any_unit(unit):
    rows = np.random.default_rng(2).normal(size=(50, 2)) * unit + [0, 1e3 * unit]
    exact = np.array([truth.root(v) for v in truth.variances(rows)])
    for size in (50, 3):
        scaler = in_batches(StandardScaler(), rows, size)
        assert truth.digits(scaler.scale_, exact) >= 14.5


def digits_of_scores(got, exact):
    """Against max(|z|, 1), and against |z| itself."""
    ones = np.array([max(abs(z), 1) for z in exact], dtype=object)
    return truth.digits(got, exact, scale=ones), truth.digits(got, exact)


@pytest.mark.parametrize("column", range(16), ids=[f"{offset:g}" for offset in OFFSETS])
def test_transform_float64(offset_rows, column):
    """14 digits of max(|z|, 1), and of |z| itself eps times its condition, 1 + 1/|z|.

    The mean is known to eps of the standard deviation and not of z, so that a z near 0 has
    fewer digits of its own: measured, 14.4 at |z| = 2e-3, where 13 are promised.
    """
    rows = offset_rows[:500, [column]]
    exact = truth.z_scores(rows[:, 0])
    condition = max(float(1 + 1 / abs(z)) for z in exact)
    for scaler in (
        StandardScaler().fit(rows),
        in_batches(StandardScaler(), rows, 9),
        BatchNormalizer().fit(rows),
    ):
        of_unit, of_score = digits_of_scores(scaler.transform(rows)[:, 0], exact)
        assert of_unit >= 14
        assert of_score >= truth.tolerance(1, condition)


@pytest.mark.parametrize("offset", [10.0**k for k in range(8)])
def test_transform_float32(offset):
    """More than 6.5 digits of every z by itself, also of those near 0: float32 has 7.2."""
    rng = np.random.default_rng(3)
    rows = (rng.normal(size=(400, 1)) + offset).astype(np.float32)
    exact = truth.z_scores(rows[:, 0])
    for scaler in (StandardScaler().fit(rows), BatchNormalizer(batch_size=7).fit(rows)):
        scores = scaler.transform(rows)
        assert scores.dtype == np.float32
        of_unit, of_score = digits_of_scores(scores[:, 0], exact)
        assert of_unit >= 6.5
        assert of_score >= 6.5


@pytest.mark.parametrize("column", range(16), ids=[f"{offset:g}" for offset in OFFSETS])
def test_minmax_is_a_subtraction_and_a_division(offset_rows, column):
    """Every position by itself, to 2 eps: nothing cancels but the subtraction, which is given."""
    rows = offset_rows[:500, [column]]
    exact = truth.positions(rows[:, 0])
    got = MinMaxScaler().fit_transform(rows)[:, 0]
    assert truth.digits(got, exact) >= truth.tolerance(2)


@pytest.mark.parametrize("column", range(16), ids=[f"{offset:g}" for offset in OFFSETS])
def test_inverse_transform_returns_the_numbers(offset_rows, column):
    """To 2 eps of the larger of the number and the spread: at 1e15 that is the number itself."""
    rows = offset_rows[:, [column]]
    spread = np.ptp(rows)
    for scaler in (StandardScaler(), MinMaxScaler(), BatchNormalizer(affine=(3.0, -1.0))):
        back = scaler.fit(rows).inverse_transform(scaler.transform(rows))
        assert (np.abs(back - rows) <= 2 * 2.3e-16 * (np.abs(rows) + 2 * spread)).all()


# Principal components ---------------------------------------------------------------------


def with_singular_values(values, n_rows, seed):
    """Centred rows, before rounding, with these singular values and random axes."""
    rng = np.random.default_rng(seed)
    p = len(values)
    left = rng.normal(size=(n_rows, p))
    left, _ = np.linalg.qr(left - left.mean(axis=0))
    right, _ = np.linalg.qr(rng.normal(size=(p, p)))
    return left * values @ right.T


@pytest.fixture(scope="module", params=MEANS, ids=[f"{mean:g}" for mean in MEANS])
def far_rows(request):
    rows = np.random.default_rng(4).normal(size=(120, 4)) * [4, 3, 2, 1] + request.param
    return rows, truth.singular_values(rows)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("size", [120, 50, 1])
def test_singular_values_at_any_mean(far_rows, solver, size):
    rows, exact = far_rows
    pca = PCA(svd_solver=solver)
    pca = pca.fit(rows) if size == len(rows) else in_batches(pca, rows, size)
    assert truth.digits(pca.singular_values_[0], exact[0]) >= 14.5
    assert truth.digits(pca.singular_values_, exact) >= truth.tolerance(64)  # condition 4
    variance = exact**2 / (len(rows) - 1)
    assert truth.digits(pca.explained_variance_, variance) >= truth.tolerance(128)
    ratio = variance / variance.sum()
    assert truth.digits(pca.explained_variance_ratio_, ratio) >= truth.tolerance(128)


@pytest.mark.parametrize("solver", ["full", "covariance_eigh"])
@pytest.mark.parametrize("period", [2, 5, 8, 16, 32, 64])
@pytest.mark.parametrize("outlier", [1e4, 1e8, -1e12])
def test_singular_values_where_every_so_many_rows_mislead(solver, period, outlier):
    """As for variances: rows far away, of no weight to speak of, at any stride."""
    rows = np.random.default_rng(15).normal(size=(100, 3)) * [4, 2, 1]
    weights = np.ones(100)
    rows[::period], weights[::period] = outlier, 2.0**-120
    exact = truth.singular_values(rows, truth.exact(weights))
    pca = PCA(svd_solver=solver).fit(rows, sample_weight=weights)
    assert truth.digits(pca.singular_values_, exact) >= 13.5
    assert truth.digits(pca.singular_values_[0], exact[0]) >= 14.5


@pytest.mark.parametrize("solver", [*SOLVERS, "arpack", "randomized"])
@pytest.mark.parametrize("mean", MEANS)
def test_leading_singular_value_of_every_solver(solver, mean):
    """No solver is worse off for the mean; the iterative ones find the first of 8 well apart."""
    rows = with_singular_values(2.0 ** -np.arange(6.0), 60, seed=5) * 100 + mean
    exact = truth.singular_values(rows)
    pca = PCA(2, svd_solver=solver, random_state=0, iterated_power=40).fit(rows)
    assert truth.digits(pca.singular_values_[0], exact[0]) >= 14.5


@pytest.mark.parametrize("solver", ["full", "auto"])
@pytest.mark.parametrize("power", range(1, 13))
def test_smallest_singular_value(solver, power):
    """eps times the first: 15 - log10(condition) - 1 digits, from fit and from partial_fit."""
    values = np.geomspace(1, 10.0**-power, 5)
    rows = with_singular_values(values, 100, seed=power)
    exact = truth.singular_values(rows)
    fitted = PCA(svd_solver=solver).fit(rows)
    for pca in (fitted, in_batches(PCA(svd_solver=solver), rows, 3)):
        assert truth.digits(pca.singular_values_[-1], exact[-1]) >= 15 - power - 1
        assert truth.digits(pca.singular_values_, exact, scale=exact[0]) >= truth.tolerance(8)


def test_solver_by_name_is_obeyed_and_loses_the_smallest():
    """That "auto" is better than "covariance_eigh" is its doing, and not the data's."""
    rows = with_singular_values(np.geomspace(1, 1e-10, 5), 100, seed=1)
    exact = truth.singular_values(rows)
    found = {
        solver: truth.digits(PCA(svd_solver=solver).fit(rows).singular_values_[-1], exact[-1])
        for solver in SOLVERS
    }
    assert found["covariance_eigh"] < 2
    assert min(found["auto"], found["full"]) >= 4


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("mean", [0.0, 1e3, 1e10])
def test_components(solver, mean):
    """Each axis to eps times first over gap: sin of the angle to the exact one."""
    rows = with_singular_values(np.array([8.0, 4.0, 2.0, 1.0]), 80, seed=6) + mean
    _, exact = truth.eigen(truth.matrix(truth.scatter(rows)))
    pca = PCA(svd_solver=solver).fit(rows)
    signs = np.sign(np.sum(pca.components_ * exact.astype(float), axis=1)).astype(int)
    # Gaps of squares are 48, 12, 3 and 3 of 64: a condition of 64 / 3.
    digits = truth.digits(pca.components_, exact * signs[:, None], scale=1)
    assert digits >= truth.tolerance(8, 64 / 3)
    largest = np.abs(pca.components_).argmax(axis=1)
    assert (pca.components_[range(4), largest] > 0).all()


@pytest.mark.parametrize("solver", ["full", "auto"])
def test_weak_components(solver):
    """An axis 1e-6 of the first keeps 15 - 6 digits of its direction, which eigh would lose."""
    rows = with_singular_values(np.array([1.0, 1e-2, 1e-4, 1e-6]), 80, seed=7)
    _, exact = truth.eigen(truth.matrix(truth.scatter(rows)))
    pca = PCA(svd_solver=solver).fit(rows)
    signs = np.sign(np.sum(pca.components_ * exact.astype(float), axis=1)).astype(int)
    found = truth.digits_of_each(pca.components_, exact * signs[:, None], scale=1)
    assert found[3].min() >= truth.tolerance(8, 1e4)  # eps times first over the gap, 1e-4


# Whitening --------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("mean", [0.0, 1e3, 1e10])
@pytest.mark.parametrize("size", [60, 13], ids=["fit", "partial_fit"])
def test_whitening_map(method, mean, size):
    """Every map to 64 eps times condition, relative to its largest entry."""
    values = np.array([4.0, 2.0, 1.0, 0.5])
    rows = with_singular_values(values, 60, seed=8) + mean
    exact = truth.whitening(rows, method)
    whitener = Whitener(method)
    whitener = whitener.fit(rows) if size == len(rows) else in_batches(whitener, rows, size)
    largest = max(abs(entry) for entry in exact.ravel())
    assert truth.digits(whitener.whitening_, exact, scale=largest) >= truth.tolerance(64, 8)
    assert truth.digits(whitener.mean_, truth.means(rows), scale=mean + 1) >= truth.tolerance(1)


@pytest.mark.parametrize("method", METHODS)
def test_whitening_map_of_ill_conditioned_rows(method):
    """A condition of 1e6 costs 6 digits, not 12."""
    rows = with_singular_values(np.geomspace(1, 1e-6, 4), 60, seed=9)
    exact = truth.whitening(rows, method)
    largest = max(abs(entry) for entry in exact.ravel())
    for whitener in (Whitener(method).fit(rows), in_batches(Whitener(method), rows, 7)):
        assert truth.digits(whitener.whitening_, exact, scale=largest) >= truth.tolerance(64, 1e6)


@pytest.mark.parametrize("n_rows", [5, 40, 200])
@pytest.mark.parametrize("mean", [0.0, 1e6])
def test_shrinkage_intensities(n_rows, mean):
    rng = np.random.default_rng(10)
    rows = rng.normal(size=(n_rows, 6)) @ rng.normal(size=(6, 6)) + mean
    for name, exact in (("ledoit_wolf", truth.ledoit_wolf(rows)), ("oas", truth.oas(rows))):
        fitted = Whitener(shrinkage=name).fit(rows)
        assert truth.digits(fitted.shrinkage_, exact) >= truth.tolerance(64)
        for size in (1, 3, n_rows - 1):
            batched = in_batches(Whitener(shrinkage=name), rows, size)
            assert abs(batched.shrinkage_ - fitted.shrinkage_) <= 3e-14


@pytest.mark.parametrize("unit", [1e-150, 1e-100, 1e-60, 1e60, 1e100, 1e150])
@pytest.mark.parametrize("name", ["ledoit_wolf", "oas"])
def test_shrinkage_intensities_have_no_unit(name, unit):
    rng = np.random.default_rng(11)
    rows = rng.normal(size=(30, 4)) @ rng.normal(size=(4, 4)) * unit
    exact = getattr(truth, name)(rows)
    for whitener in (
        Whitener(shrinkage=name).fit(rows),
        in_batches(Whitener(shrinkage=name), rows, 7),
    ):
        assert truth.digits(whitener.shrinkage_, exact) >= truth.tolerance(256)


@pytest.mark.parametrize("name", ["ledoit_wolf", "oas"])
def test_shrinkage_is_that_of_scikit_learn(name):
    rng = np.random.default_rng(12)
    rows = rng.normal(size=(30, 5)) @ rng.normal(size=(5, 5))
    peer = {"ledoit_wolf": sklearn.covariance.LedoitWolf, "oas": sklearn.covariance.OAS}[name]()
    peer.fit(rows)
    whitener = Whitener(shrinkage=name, ddof=0).fit(rows)
    assert abs(whitener.shrinkage_ - peer.shrinkage_) <= 3e-14
    covariance = whitener.coloring_ @ whitener.coloring_.T
    np.testing.assert_allclose(covariance, peer.covariance_, rtol=0, atol=1e-13 * len(rows))


# Batches ----------------------------------------------------------------------------------


@pytest.mark.parametrize("momentum", [0.1, 0.5, 1.0, "cumulative"])
@pytest.mark.parametrize("offset", [1.0, 1e7, 1e15])
@pytest.mark.parametrize("ddof", [0, 1])
def test_running_averages(momentum, offset, ddof):
    """Batches of 16 rows, and of 1 to 5 rows among which are single ones."""
    rng = np.random.default_rng(13)
    rows = rng.normal(size=(96, 1)) + offset + np.linspace(0, 5, 96)[:, None]
    fitted = BatchNormalizer(16, momentum=momentum, ddof=ddof).fit(rows)
    cuts = np.cumsum(rng.integers(1, 6, 30))
    batches = np.split(rows, cuts[cuts < 96])
    streamed = BatchNormalizer(momentum=momentum, ddof=ddof)
    for batch in batches:
        streamed.partial_fit(batch)
    for normalizer, parts in ((fitted, np.split(rows, 6)), (streamed, batches)):
        mean, variance = truth.running([part[:, 0] for part in parts], momentum, ddof)
        assert truth.digits(normalizer.running_mean_[0], mean) >= truth.tolerance(1)
        assert truth.digits(normalizer.running_var_[0], variance) >= 14.5

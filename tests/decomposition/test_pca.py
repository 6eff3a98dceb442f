"""PCA: its model, its solvers, scikit-learn's answers, and what exact batches allow."""

import numpy as np
import pytest
import sklearn.decomposition
from scipy import sparse
from scipy.stats import multivariate_normal
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine

from skscale import PCA
from skscale.statistics import Scatter, Triangle

from .. import truth

EXACT_SOLVERS = ["auto", "full", "covariance_eigh"]
SOLVERS = [*EXACT_SOLVERS, "arpack", "randomized"]
REAL = {
    "wine": load_wine().data,
    "breast cancer": load_breast_cancer().data,
    "diabetes": load_diabetes(scaled=False).data,
    "digits": load_digits().data[:, ::3],
}
real_data = pytest.mark.parametrize("rows", REAL.values(), ids=REAL)
exact_solvers = pytest.mark.parametrize("solver", EXACT_SOLVERS)


def draw(n_rows, n_columns, seed=0, decay=0.7):
    rng = np.random.default_rng(seed)
    axes, _ = np.linalg.qr(rng.normal(size=(n_columns, n_columns)))
    return rng.normal(size=(n_rows, n_columns)) * decay ** np.arange(n_columns) @ axes


ROWS = draw(80, 5) + np.array([0, 10, -3, 1e3, 0.5])


def in_batches(pca, rows, size):
    for start in range(0, len(rows), size):
        pca.partial_fit(rows[start : start + size])
    return pca


# The model ---------------------------------------------------------------------------------


@exact_solvers
def test_attributes(solver):
    pca = PCA(3, svd_solver=solver).fit(ROWS)
    values = truth.singular_values(ROWS)
    variance = values**2 / 79
    assert truth.digits(pca.singular_values_, values[:3]) >= 13.5
    assert truth.digits(pca.explained_variance_, variance[:3]) >= 13.5
    assert truth.digits(pca.explained_variance_ratio_, variance[:3] / variance.sum()) >= 13.5
    assert truth.digits(pca.noise_variance_, variance[3:].sum() / 2) >= 13
    assert truth.digits(pca.mean_, truth.means(ROWS), scale=abs(truth.means(ROWS)) + 1) >= 15.65
    assert (pca.n_components_, pca.n_samples_, pca.n_features_in_) == (3, 80, 5)
    assert pca.components_.shape == (3, 5)
    assert isinstance(pca.statistic_, Scatter | Triangle)


@exact_solvers
def test_components_are_orthonormal_and_turned(solver):
    """The entry largest by magnitude is positive: the same rows, the same signs."""
    pca = PCA(svd_solver=solver).fit(ROWS)
    np.testing.assert_allclose(pca.components_ @ pca.components_.T, np.eye(5), atol=1e-14)
    largest = np.abs(pca.components_).argmax(axis=1)
    assert (pca.components_[range(5), largest] > 0).all()
    np.testing.assert_array_equal(
        PCA(svd_solver=solver).fit(ROWS[::-1][::-1]).components_, pca.components_
    )


@exact_solvers
@pytest.mark.parametrize("whiten", [False, True])
def test_transform_is_a_projection(solver, whiten):
    pca = PCA(svd_solver=solver, whiten=whiten).fit(ROWS)
    projected = (ROWS - pca.mean_) @ pca.components_.T
    if whiten:
        projected /= np.sqrt(pca.explained_variance_)
    result = pca.transform(ROWS)
    np.testing.assert_allclose(result, projected, rtol=0, atol=1e-12)
    covariance = np.eye(5) if whiten else np.diag(pca.explained_variance_)
    np.testing.assert_allclose(np.cov(result, rowvar=False), covariance, rtol=0, atol=1e-12)
    np.testing.assert_allclose(pca.inverse_transform(result), ROWS, rtol=1e-13, atol=1e-12)


@exact_solvers
def test_fewer_components_are_the_nearest_plane(solver):
    """What is lost is what the components left out explain."""
    pca = PCA(2, svd_solver=solver).fit(ROWS)
    back = pca.inverse_transform(pca.transform(ROWS))
    lost = ((ROWS - back) ** 2).sum() / 79
    assert lost == pytest.approx(pca.noise_variance_ * 3, rel=1e-10)


# scikit-learn ------------------------------------------------------------------------------


def aligned(pca, peer, rows):
    """Signs that turn one's components to the other's."""
    return np.sign((np.asarray(pca.components_) * peer.components_).sum(axis=1))


@real_data
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("whiten", [False, True])
def test_equals_scikit_learn(rows, solver, whiten):
    options = {"svd_solver": solver, "whiten": whiten, "random_state": 0}
    if solver == "randomized":
        options["iterated_power"] = 30
    ours = PCA(3, **options).fit(rows)
    theirs = sklearn.decomposition.PCA(3, **options).fit(rows)
    for name in ("explained_variance_", "explained_variance_ratio_", "singular_values_", "mean_"):
        np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), rtol=1e-9)
    assert ours.noise_variance_ == pytest.approx(theirs.noise_variance_, rel=1e-6)
    assert ours.n_components_ == theirs.n_components_
    assert ours.n_samples_ == theirs.n_samples_
    signs = aligned(ours, theirs, rows)
    np.testing.assert_allclose(ours.components_ * signs[:, None], theirs.components_, atol=1e-8)
    scale = np.abs(theirs.transform(rows)).max()
    expected = theirs.transform(rows) * signs
    np.testing.assert_allclose(ours.transform(rows) / scale, expected / scale, rtol=0, atol=1e-8)
    if solver in ("auto", "full", "covariance_eigh"):
        assert (signs == 1).all(), "the sign rule is scikit-learn's"


@real_data
def test_model_equals_scikit_learn(rows):
    ours = PCA(4, svd_solver="full").fit(rows)
    theirs = sklearn.decomposition.PCA(4, svd_solver="full").fit(rows)
    scale = np.abs(theirs.get_covariance()).max()
    np.testing.assert_allclose(ours.get_covariance(), theirs.get_covariance(), atol=1e-11 * scale)
    scale = np.abs(theirs.get_precision()).max()
    np.testing.assert_allclose(ours.get_precision(), theirs.get_precision(), atol=1e-8 * scale)
    assert ours.score(rows) == pytest.approx(theirs.score(rows), rel=1e-9)


@pytest.mark.parametrize("share", [0.3, 0.9, 0.99, 0.999])
@real_data
def test_share_of_variance_equals_scikit_learn(rows, share):
    ours = PCA(share, svd_solver="full").fit(rows)
    theirs = sklearn.decomposition.PCA(share, svd_solver="full").fit(rows)
    assert ours.n_components_ == theirs.n_components_
    assert ours.explained_variance_ratio_.sum() > share
    assert ours.explained_variance_ratio_[:-1].sum() <= share


@real_data
@exact_solvers
def test_mle_equals_scikit_learn(rows, solver):
    ours = PCA("mle", svd_solver=solver).fit(rows)
    theirs = sklearn.decomposition.PCA("mle", svd_solver="full").fit(rows)
    assert ours.n_components_ == theirs.n_components_


@pytest.mark.parametrize("unit", [1e-9, 1e-6, 1e6, 2.0**-40])
def test_mle_has_no_unit(unit):
    """Three directions of signal in ten: as many in metres as in nanometres."""
    rng = np.random.default_rng(3)
    rows = rng.normal(size=(500, 3)) @ rng.normal(size=(3, 10)) + rng.normal(
        scale=0.1, size=(500, 10)
    )
    assert PCA("mle").fit(rows).n_components_ == 3
    assert PCA("mle").fit(rows * unit).n_components_ == 3


# Number of components ------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(80, 5), (5, 5), (4, 9), (1, 3), (2, 1)])
@pytest.mark.parametrize("solver", ["auto", "full", "covariance_eigh"])
def test_none_keeps_the_smaller_of_rows_and_columns(shape, solver):
    rows = draw(*shape)
    pca = PCA(svd_solver=solver).fit(rows)
    assert pca.n_components_ == min(shape)
    assert pca.transform(rows).shape == (shape[0], min(shape))
    np.testing.assert_allclose(pca.inverse_transform(pca.transform(rows)), rows, atol=1e-12)
    np.testing.assert_allclose(pca.components_ @ pca.components_.T, np.eye(min(shape)), atol=1e-12)


def test_none_keeps_one_fewer_with_arpack():
    assert PCA(svd_solver="arpack").fit(ROWS).n_components_ == 4


@exact_solvers
def test_no_components(solver):
    pca = PCA(0, svd_solver=solver).fit(ROWS)
    assert pca.transform(ROWS).shape == (80, 0)
    assert pca.noise_variance_ == pytest.approx(ROWS.var(axis=0, ddof=1).mean())


def test_names_out():
    assert PCA(2).fit(ROWS).get_feature_names_out().tolist() == ["pca0", "pca1"]


# Deficient, wide and few rows ----------------------------------------------------------------


def deficient():
    rows = draw(60, 4, 1)
    return {
        "duplicated column": (np.hstack([rows, rows[:, [0]]]), 4),
        "sum of columns": (np.hstack([rows, rows.sum(axis=1, keepdims=True)]), 4),
        "constant column": (np.hstack([rows, np.full((60, 1), 1e9)]), 4),
        "more columns than rows": (draw(4, 7, 2, 0.9), 3),
        "two rows": (draw(2, 3, 3), 1),
        "the same row": (np.tile(draw(1, 4), (6, 1)), 0),
        "one row": (draw(1, 4), 0),
        "small": (np.hstack([rows, rows[:, [0]]]) * 1e-60, 4),
        "large": (np.hstack([rows, rows[:, [0]]]) * 1e60, 4),
        "tiny": (np.hstack([rows, rows[:, [0]]]) * 1e-200, 4),
        "huge": (np.hstack([rows, rows[:, [0]]]) * 1e200, 4),
    }


@exact_solvers
@pytest.mark.parametrize("name", deficient())
def test_whitened_rank_deficient_rows(solver, name):
    """`fit_transform` is `transform`; a direction of no variance is 0, and noise stays small."""
    rows, rank = deficient()[name]
    pca = PCA(whiten=True, svd_solver=solver)
    white = pca.fit_transform(rows)
    np.testing.assert_array_equal(white, pca.transform(rows))
    assert white.shape == (len(rows), min(rows.shape))
    np.testing.assert_array_equal(white[:, rank:], 0)
    if rank:
        covariance = np.atleast_2d(np.cov(white[:, :rank], rowvar=False))
        np.testing.assert_allclose(covariance, np.eye(rank), rtol=0, atol=1e-10)
    scale = np.abs(rows - rows.mean(axis=0)).max()
    noise = np.random.default_rng(0).normal(scale=1e-6, size=rows.shape) * scale
    moved = np.abs(pca.transform(rows + noise) - white)
    assert moved.max() < 1e-3
    back = pca.inverse_transform(white)
    np.testing.assert_allclose(back, rows, rtol=1e-12, atol=1e-11 * scale)


@exact_solvers
def test_one_row(solver):
    pca = PCA(svd_solver=solver).fit([[1.0, 2.0, 3.0]])
    assert pca.explained_variance_.tolist() == [0]
    assert pca.explained_variance_ratio_.tolist() == [0]
    assert pca.singular_values_.tolist() == [0]
    assert pca.transform([[1.0, 2.0, 3.0]]).tolist() == [[0]]
    assert pca.mean_.tolist() == [1, 2, 3]


@pytest.mark.parametrize("solver", ["auto", "full", "arpack", "randomized"])
@pytest.mark.parametrize("whiten", [False, True])
def test_wide_rows(solver, whiten):
    """More columns than a square matrix of them would be wise for."""
    rows = draw(12, 40, 4, 0.95)[:, np.r_[0:40]] @ np.random.default_rng(0).normal(size=(40, 3000))
    pca = PCA(4, svd_solver=solver, whiten=whiten, random_state=0, iterated_power=30).fit(rows)
    centred = rows - rows.mean(axis=0)
    values = np.linalg.svd(centred, compute_uv=False)[:4]
    np.testing.assert_allclose(pca.singular_values_, values, rtol=1e-10)
    projected = pca.transform(rows)
    expected = np.ones(4) if whiten else pca.explained_variance_
    np.testing.assert_allclose(projected.var(axis=0, ddof=1), expected, rtol=1e-9)


# Batches -------------------------------------------------------------------------------------


@pytest.mark.parametrize("solver", EXACT_SOLVERS)
@pytest.mark.parametrize("size", [1, 2, 7, 79])
@pytest.mark.parametrize("n_components", [None, 3, 0.9])
def test_partial_fit_is_fit(solver, size, n_components):
    """Exactly, whatever the batch: of one row, or smaller than the number of components."""
    batched = in_batches(PCA(n_components, svd_solver=solver), ROWS, size)
    fitted = PCA(n_components, svd_solver=solver).fit(ROWS)
    assert batched.n_components_ == fitted.n_components_
    assert batched.n_samples_ == 80
    np.testing.assert_allclose(batched.singular_values_, fitted.singular_values_, rtol=1e-12)
    np.testing.assert_allclose(batched.components_, fitted.components_, rtol=0, atol=1e-11)
    np.testing.assert_allclose(batched.transform(ROWS), fitted.transform(ROWS), atol=1e-10)


def test_first_batches_smaller_than_the_components():
    """As many components as there are rows so far, until all that were asked for."""
    pca = PCA(3)
    kept = [pca.partial_fit(ROWS[i : i + 1]).n_components_ for i in range(5)]
    assert kept == [1, 2, 3, 3, 3]
    assert pca.partial_fit(ROWS[5:]).transform(ROWS).shape == (80, 3)


def test_partial_fit_of_wide_rows():
    rows = draw(30, 60, 5, 0.95)
    batched = in_batches(PCA(5), rows, 4)
    fitted = PCA(5).fit(rows)
    np.testing.assert_allclose(batched.singular_values_, fitted.singular_values_, rtol=1e-12)
    np.testing.assert_allclose(
        np.abs(batched.transform(rows)), np.abs(fitted.transform(rows)), atol=1e-11
    )


def test_partial_fit_after_fit():
    pca = PCA().fit(ROWS[:60]).partial_fit(ROWS[60:])
    np.testing.assert_allclose(pca.singular_values_, PCA().fit(ROWS).singular_values_, rtol=1e-12)


@pytest.mark.parametrize("kind", [Scatter, Triangle])
def test_fit_statistic(kind):
    statistic = kind.of(ROWS[:30]).merge(kind.of(ROWS[30:]))
    pca = PCA(3).fit_statistic(statistic)
    fitted = PCA(3).fit(ROWS)
    np.testing.assert_allclose(pca.singular_values_, fitted.singular_values_, rtol=1e-12)
    assert pca.noise_variance_ == pytest.approx(fitted.noise_variance_, rel=1e-10)
    assert pca.statistic_ is statistic


# Weights -------------------------------------------------------------------------------------


@pytest.mark.parametrize("solver", SOLVERS)
def test_weights_are_repetitions(solver):
    weights = np.random.default_rng(0).integers(0, 4, 80)
    options = {"svd_solver": solver, "random_state": 0, "iterated_power": 30}
    weighted = PCA(2, **options).fit(ROWS, sample_weight=weights)
    repeated = PCA(2, **options).fit(np.repeat(ROWS, weights, axis=0))
    np.testing.assert_allclose(weighted.singular_values_, repeated.singular_values_, rtol=1e-11)
    np.testing.assert_allclose(
        weighted.explained_variance_, repeated.explained_variance_, rtol=1e-11
    )
    assert weighted.noise_variance_ == pytest.approx(repeated.noise_variance_, rel=1e-8)
    assert weighted.n_samples_ == repeated.n_samples_ == weights.sum()


def test_weights_of_few_rows():
    """Ten repetitions of two rows are ten rows, of rank one."""
    pca = PCA(whiten=True).fit(ROWS[:2], sample_weight=[5, 5])
    repeated = PCA(whiten=True).fit(np.repeat(ROWS[:2], 5, axis=0))
    np.testing.assert_allclose(pca.transform(ROWS[:2]), repeated.transform(ROWS[:2]), atol=1e-12)
    assert pca.transform(ROWS[:2]).shape == (2, 5)


def test_fractional_weights_are_exact():
    weights = np.random.default_rng(1).integers(1, 9, 80) / 4
    values = truth.singular_values(ROWS, truth.exact(weights))
    for solver in EXACT_SOLVERS:
        pca = PCA(svd_solver=solver).fit(ROWS, sample_weight=weights)
        assert truth.digits(pca.singular_values_, values) >= 13.5


# The probabilistic model ---------------------------------------------------------------------


@exact_solvers
@pytest.mark.parametrize("n_components", [0, 1, 3, 4, 5])
@pytest.mark.parametrize("whiten", [False, True])
def test_covariance_precision_and_score_agree(solver, n_components, whiten):
    pca = PCA(n_components, svd_solver=solver, whiten=whiten).fit(ROWS)
    covariance = pca.get_covariance()
    np.testing.assert_allclose(pca.get_precision() @ covariance, np.eye(5), rtol=0, atol=1e-10)
    model = multivariate_normal(pca.mean_, covariance)
    np.testing.assert_allclose(pca.score_samples(ROWS), model.logpdf(ROWS), rtol=1e-9, atol=1e-9)
    assert pca.score(ROWS) == pytest.approx(model.logpdf(ROWS).mean(), rel=1e-10)


def test_all_components_give_the_sample_covariance():
    np.testing.assert_allclose(
        PCA().fit(ROWS).get_covariance(), np.cov(ROWS, rowvar=False), rtol=0, atol=1e-13
    )


@real_data
def test_score_does_not_depend_on_whiten(rows):
    """Whitening rescales what comes out, and the model is of what goes in."""
    plain, white = PCA(3).fit(rows), PCA(3, whiten=True).fit(rows)
    assert white.score(rows) == pytest.approx(plain.score(rows), rel=1e-13)
    np.testing.assert_allclose(white.get_covariance(), plain.get_covariance(), rtol=1e-13)
    np.testing.assert_allclose(white.get_precision(), plain.get_precision(), rtol=1e-13)


def test_score_in_another_unit():
    """A density: in units 1 / u it is higher by u per column, and finite in any unit."""
    expected = PCA(2).fit(ROWS).score(ROWS)
    for unit in (1e-170, 1e-100, 1e100, 1e160):
        found = PCA(2).fit(ROWS * unit).score(ROWS * unit)
        assert found + 5 * np.log(unit) == pytest.approx(expected, rel=1e-9)


def test_score_of_deficient_rows_is_finite():
    rows, _ = deficient()["sum of columns"]
    pca = PCA().fit(rows)
    assert np.isfinite(pca.score(rows))
    precision, covariance = pca.get_precision(), pca.get_covariance()
    np.testing.assert_allclose(covariance @ precision @ covariance, covariance, rtol=0, atol=1e-9)


# Sparse, dtypes, bits ------------------------------------------------------------------------


def test_sparse_rows_after_dense_ones():
    """What was measured of the first rows decides the solver, and not how the next are stored."""
    rows = np.random.default_rng(0).normal(size=(500, 6))
    pca = PCA(2).fit(rows).partial_fit(sparse.csr_array(rows[:50]))
    whole = PCA(2).fit(np.vstack([rows, rows[:50]]))
    assert pca.n_components_ == 2
    np.testing.assert_allclose(pca.singular_values_, whole.singular_values_, rtol=1e-13)


@pytest.mark.parametrize("make", [sparse.csr_array, sparse.csc_array])
@pytest.mark.parametrize("solver", ["auto", "arpack", "covariance_eigh"])
def test_sparse_digits_equal_scikit_learn(make, solver):
    rows = load_digits().data[:300]
    ours = PCA(5, svd_solver=solver, random_state=0).fit(make(rows))
    theirs = sklearn.decomposition.PCA(5, svd_solver="full").fit(rows)
    np.testing.assert_allclose(ours.singular_values_, theirs.singular_values_, rtol=1e-10)
    np.testing.assert_allclose(
        np.abs(ours.transform(make(rows))), np.abs(theirs.transform(rows)), rtol=0, atol=1e-9
    )


@pytest.mark.parametrize("solver", ["full", "randomized"])
def test_sparse_rows_are_refused_by_the_solvers_that_cannot(solver):
    with pytest.raises(TypeError, match=f'"{solver}" was passed'):
        PCA(2, svd_solver=solver).fit(sparse.csr_array(ROWS))


@pytest.mark.parametrize("solver", SOLVERS)
def test_float32_stays_float32(solver):
    rows = ROWS.astype(np.float32)
    pca = PCA(2, svd_solver=solver, random_state=0).fit(rows)
    assert pca.components_.dtype == np.float32
    assert pca.transform(rows).dtype == np.float32
    assert pca.transform(ROWS).dtype == np.float64
    assert pca.explained_variance_.dtype == np.float64
    values = truth.singular_values(rows)[:2]
    assert truth.digits(pca.singular_values_, values) >= 13


@pytest.mark.parametrize("solver", SOLVERS)
def test_fit_transform_is_fit_then_transform_bit_for_bit(solver):
    options = {"svd_solver": solver, "random_state": 0}
    for rows in (ROWS, ROWS.astype(np.float32), REAL["wine"]):
        together = PCA(2, **options).fit_transform(rows)
        np.testing.assert_array_equal(together, PCA(2, **options).fit(rows).transform(rows))


@pytest.mark.parametrize("solver", ["arpack", "randomized"])
def test_seed_makes_the_bits(solver):
    first = PCA(2, svd_solver=solver, random_state=3).fit(REAL["digits"])
    second = PCA(2, svd_solver=solver, random_state=3).fit(REAL["digits"])
    np.testing.assert_array_equal(first.components_, second.components_)


@pytest.mark.parametrize("unit", [1e-300, 1e-150, 1e-60, 1e60, 1e150, 1e300])
@exact_solvers
def test_any_unit(solver, unit):
    rows = draw(60, 4, 6)
    expected = PCA(svd_solver=solver).fit(rows)
    pca = PCA(svd_solver=solver).fit(rows * unit)
    np.testing.assert_allclose(pca.singular_values_ / unit, expected.singular_values_, rtol=1e-12)
    np.testing.assert_allclose(
        pca.transform(rows * unit) / unit, expected.transform(rows), atol=1e-12
    )
    ratio = expected.explained_variance_ratio_
    np.testing.assert_allclose(pca.explained_variance_ratio_, ratio, rtol=1e-12)
    back = pca.inverse_transform(pca.transform(rows * unit))
    np.testing.assert_allclose(back / unit, rows, rtol=0, atol=1e-12)

"""Whitener: five maps to unit covariance, and what each of them is the best at."""

import numpy as np
import pytest
import sklearn.decomposition
from sklearn.datasets import load_breast_cancer, load_digits, load_wine

from skscale import PCA, StandardScaler, Whitener
from skscale.statistics import RadialScatter, Scatter, Triangle

from .. import truth

METHODS = ["zca", "zca-cor", "pca", "pca-cor", "cholesky"]
every_method = pytest.mark.parametrize("method", METHODS)


def correlated(n_rows, n_columns, seed, condition=30.0):
    """Rows of a covariance with this ratio of the largest deviation to the smallest."""
    rng = np.random.default_rng(seed)
    axes, _ = np.linalg.qr(rng.normal(size=(n_columns, n_columns)))
    return rng.normal(size=(n_rows, n_columns)) * np.geomspace(1, 1 / condition, n_columns) @ axes


FULL_RANK = {
    "plain": correlated(200, 5, 0),
    "offset 1e8": correlated(200, 5, 1) + 1e8,
    "offset 1e12": correlated(200, 4, 1, condition=2) + 1e12,
    "float32": correlated(200, 5, 2).astype(np.float32),
    "float32 at 1e3": (correlated(200, 4, 3) + 1e3).astype(np.float32),
    "tiny, 1e-150": correlated(200, 5, 4) * 1e-150,
    "huge, 1e150": correlated(200, 5, 5) * 1e150,
    "small, 1e-60": correlated(200, 5, 4) * 1e-60,
    "large, 1e60": correlated(200, 5, 5) * 1e60,
    "tiny, 1e-300": correlated(200, 5, 4) * 1e-300,
    "huge, 1e300": correlated(200, 5, 5) * 1e300,
    "correlated at 1 - 1e-8": correlated(300, 4, 6, condition=1e4),
    "correlated, tiny": correlated(300, 4, 6, condition=1e4) * 1e-200,
    "correlated, huge": correlated(300, 4, 6, condition=1e4) * 1e200,
    "unequal units": correlated(300, 4, 7) * [1e-2, 1, 10, 100],
    "one column": correlated(50, 1, 8) + 3,
    "barely more rows than columns": correlated(7, 6, 9, condition=3),
    "wine": load_wine().data,
    "breast cancer, standardized": StandardScaler().fit_transform(load_breast_cancer().data),
}
full_rank = pytest.mark.parametrize("rows", FULL_RANK.values(), ids=FULL_RANK)


def deficient():
    rows = correlated(60, 4, 10)
    return {
        "duplicated column": np.hstack([rows, rows[:, [1]]]),
        "duplicated in another unit": np.hstack([rows, 1000 * rows[:, [2]] + 5]),
        "sum of columns": np.hstack([rows, rows.sum(axis=1, keepdims=True)]),
        "constant column": np.hstack([rows, np.full((60, 1), 0.1)]),
        "constant column far away": np.hstack([np.full((60, 1), 1e15), rows]),
        "duplicated, tiny": np.hstack([rows, rows[:, [1]]]) * 1e-200,
        "duplicated, small": np.hstack([rows, rows[:, [1]]]) * 1e-60,
        "duplicated, large": np.hstack([rows, rows[:, [1]]]) * 1e60,
        "duplicated, at 1e6": np.hstack([rows, rows[:, [1]]]) + 2.0**20,
        "more columns than rows": correlated(5, 9, 11, condition=3),
        "two rows": correlated(2, 3, 12),
        "digits": load_digits().data[:400],
    }


RANKS = dict(zip(deficient(), [4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 1, None], strict=True))


def covariance(white):
    return np.atleast_2d(np.cov(white.astype(np.float64), rowvar=False))


# Unit covariance ---------------------------------------------------------------------------


@every_method
@full_rank
@pytest.mark.parametrize("batches", [1, 3], ids=["fit", "partial_fit"])
def test_covariance_is_the_identity(method, rows, batches):
    whitener = Whitener(method)
    for part in np.array_split(rows, batches):
        whitener.partial_fit(part) if batches > 1 else whitener.fit(part)
    white = whitener.transform(rows.astype(np.float64))
    np.testing.assert_allclose(covariance(white), np.eye(rows.shape[1]), rtol=0, atol=1e-10)
    np.testing.assert_allclose(white.mean(axis=0), 0, rtol=0, atol=1e-10)
    assert whitener.rank_ == rows.shape[1]


@every_method
def test_covariance_of_float32_output(method):
    """The map is as good; the result is rounded to float32 once."""
    rows = FULL_RANK["float32 at 1e3"]
    white = Whitener(method).fit_transform(rows)
    assert white.dtype == np.float32
    np.testing.assert_allclose(covariance(white), np.eye(4), rtol=0, atol=1e-6)


@every_method
@pytest.mark.parametrize("ddof", [0, 1, 5])
def test_covariance_with_ddof(method, ddof):
    rows = FULL_RANK["plain"]
    white = Whitener(method, ddof=ddof).fit_transform(rows)
    found = white.T @ white / (len(rows) - ddof)
    np.testing.assert_allclose(found, np.eye(5), rtol=0, atol=1e-12)


@every_method
@pytest.mark.parametrize("name", RANKS)
@pytest.mark.parametrize("batches", [1, 2], ids=["fit", "partial_fit"])
def test_covariance_is_a_projector_on_deficient_rows(method, name, batches):
    """Of rank `rank_`: directions without variance become 0, and not noise."""
    rows = deficient()[name]
    whitener = Whitener(method)
    for part in np.array_split(rows, batches):
        whitener.partial_fit(part) if batches > 1 else whitener.fit(part)
    expected = RANKS[name]
    if expected is None:
        expected = int(np.linalg.matrix_rank(rows - rows.mean(axis=0)))
    assert whitener.rank_ == expected
    projector = covariance(whitener.transform(rows))
    np.testing.assert_allclose(projector, projector.T, rtol=0, atol=1e-12)
    np.testing.assert_allclose(projector @ projector, projector, rtol=0, atol=1e-9)
    assert np.trace(projector) == pytest.approx(whitener.rank_, abs=1e-8)


@every_method
def test_noise_off_the_range_is_not_amplified(method):
    """Rows a little off the line of the training rows stay near it."""
    rows = deficient()["sum of columns"]
    whitener = Whitener(method).fit(rows)
    noise = np.random.default_rng(0).normal(scale=1e-6, size=rows.shape)
    moved = np.abs(whitener.transform(rows + noise) - whitener.transform(rows))
    assert moved.max() < 1e-3


@every_method
@pytest.mark.parametrize("n_rows", [1, 3])
def test_rows_without_any_variance(method, n_rows):
    """One row, or one row over and over: all zeros, and back to that row."""
    rows = np.tile([[0.1, 2.0, 1e10]], (n_rows, 1))
    whitener = Whitener(method).fit(rows)
    assert whitener.rank_ == 0
    np.testing.assert_array_equal(whitener.transform(rows + 1), 0)
    np.testing.assert_array_equal(whitener.whitening_, 0)
    np.testing.assert_array_equal(
        whitener.inverse_transform(np.ones((2, 3))), rows[:1].repeat(2, 0)
    )


# The five maps -----------------------------------------------------------------------------


@every_method
def test_transform_is_the_map(method):
    rows = FULL_RANK["plain"] + 7
    whitener = Whitener(method).fit(rows)
    expected = (rows - whitener.mean_) @ whitener.whitening_.T
    np.testing.assert_allclose(whitener.transform(rows), expected, rtol=0, atol=1e-12)
    product = whitener.whitening_.T @ whitener.whitening_
    inverse = np.linalg.inv(np.cov(rows, rowvar=False))
    np.testing.assert_allclose(product, inverse, rtol=1e-10, atol=1e-10 * np.abs(inverse).max())


@every_method
def test_map_is_the_published_one(method):
    rows = FULL_RANK["unequal units"]
    exact = truth.whitening(rows, method)
    largest = max(abs(entry) for entry in exact.ravel())
    whitener = Whitener(method).fit(rows)
    assert truth.digits(whitener.whitening_, exact, scale=largest) >= 11


def distances(rows, white, seed):
    """Mean squared distance of rows to `white`, and to `white` turned by 200 random rotations."""
    rng = np.random.default_rng(seed)
    p = rows.shape[1]
    turned = []
    for spread in np.geomspace(1e-3, 10, 200):
        rotation, _ = np.linalg.qr(np.eye(p) + spread * rng.normal(size=(p, p)))
        rotation *= np.where(np.diagonal(rotation) < 0, -1, 1)
        turned.append(((rows - white @ rotation) ** 2).sum(axis=1).mean())
    return ((rows - white) ** 2).sum(axis=1).mean(), min(turned)


@pytest.mark.parametrize("name", ["plain", "offset 1e8", "unequal units", "wine"])
def test_zca_is_the_nearest_to_the_rows(name):
    """Its cross-covariance with the rows is symmetric and positive, and no rotation is nearer."""
    rows = FULL_RANK[name]
    centred = rows - rows.mean(axis=0)
    white = Whitener("zca").fit_transform(rows)
    cross = white.T @ centred / (len(rows) - 1)
    np.testing.assert_allclose(cross, cross.T, rtol=0, atol=1e-8 * np.abs(cross).max())
    assert (np.linalg.eigvalsh((cross + cross.T) / 2) > 0).all()
    own, others = distances(centred, white, seed=0)
    assert own <= others
    for method in set(METHODS) - {"zca"}:
        other = Whitener(method).fit_transform(rows)
        assert own <= ((centred - other) ** 2).sum(axis=1).mean() * (1 + 1e-12)


@pytest.mark.parametrize("name", ["plain", "offset 1e8", "unequal units", "wine"])
def test_zca_cor_is_the_nearest_to_the_standardized_rows(name):
    rows = FULL_RANK[name]
    standardized = StandardScaler(ddof=1).fit_transform(rows)
    white = Whitener("zca-cor").fit_transform(rows)
    cross = white.T @ standardized / (len(rows) - 1)
    np.testing.assert_allclose(cross, cross.T, rtol=0, atol=1e-9)
    assert (np.linalg.eigvalsh((cross + cross.T) / 2) > 0).all()
    own, others = distances(standardized, white, seed=1)
    assert own <= others
    for method in set(METHODS) - {"zca-cor"}:
        other = Whitener(method).fit_transform(rows)
        assert own <= ((standardized - other) ** 2).sum(axis=1).mean() * (1 + 1e-12)


@pytest.mark.parametrize("name", ["plain", "tiny, 1e-150", "huge, 1e150"])
def test_cor_methods_do_not_see_the_units(name):
    """Powers of two are exact, so the result is the same to the last few bits."""
    rows = FULL_RANK[name]
    units = 2.0 ** np.array([0, 30, -30, 7, -90])
    for method in ("zca-cor", "pca-cor"):
        expected = Whitener(method).fit_transform(rows)
        found = Whitener(method).fit_transform(rows * units)
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


def test_pca_orders_by_variance():
    """Column k is along the k-th axis, of the covariance or of the correlation."""
    rows = FULL_RANK["unequal units"]
    for method, given in (("pca", rows), ("pca-cor", StandardScaler(ddof=1).fit_transform(rows))):
        peer = sklearn.decomposition.PCA(whiten=True, svd_solver="full").fit(given)
        white = Whitener(method).fit(rows)
        np.testing.assert_allclose(
            np.abs(white.transform(rows)), np.abs(peer.transform(given)), rtol=0, atol=1e-9
        )
        np.testing.assert_allclose(white.eigenvalues_, peer.explained_variance_, rtol=1e-10)
        assert (np.diff(white.eigenvalues_) <= 0).all()


@full_rank
def test_cholesky_is_triangular(rows):
    """Upper, with a positive diagonal: the transposed Cholesky factor of the inverse covariance."""
    whitening = Whitener("cholesky").fit(rows).whitening_
    np.testing.assert_array_equal(whitening, np.triu(whitening))
    assert (np.diagonal(whitening) > 0).all()
    with np.errstate(over="ignore", under="ignore"):
        ordinary = (
            np.isfinite(covariance(rows)).all() and (np.diagonal(covariance(rows)) > 1e-290).all()
        )
    if ordinary:
        inverse = np.linalg.inv(covariance(rows))
        factor = np.linalg.cholesky((inverse + inverse.T) / 2).T
        np.testing.assert_allclose(whitening, factor, rtol=0, atol=1e-6 * np.abs(factor).max())


@every_method
@pytest.mark.parametrize("name", [*RANKS, "plain"])
def test_coloring_is_the_pseudo_inverse(method, name):
    """The four conditions of Penrose, relative to the sizes of the maps."""
    rows = deficient().get(name, FULL_RANK["plain"])
    whitener = Whitener(method).fit(rows)
    W, C = whitener.whitening_, whitener.coloring_
    size = np.linalg.norm(W, 2) * np.linalg.norm(C, 2)
    np.testing.assert_allclose(W @ C @ W, W, rtol=0, atol=1e-13 * size * np.abs(W).max())
    np.testing.assert_allclose(C @ W @ C, C, rtol=0, atol=1e-13 * size * np.abs(C).max())
    if not method.endswith("cor"):  # of the -cor maps the range is that of the standardized rows
        np.testing.assert_allclose(W @ C, (W @ C).T, rtol=0, atol=1e-13 * size)
        np.testing.assert_allclose(C @ W, (C @ W).T, rtol=0, atol=1e-13 * size)


@every_method
@full_rank
def test_inverse_transform(method, rows):
    whitener = Whitener(method).fit(rows)
    back = whitener.inverse_transform(whitener.transform(rows.astype(np.float64)))
    spread = rows.astype(np.float64) / np.abs(rows).max()
    np.testing.assert_allclose(back / np.abs(rows).max(), spread, rtol=0, atol=1e-11)


@every_method
@pytest.mark.parametrize("name", RANKS)
def test_inverse_transform_of_deficient_rows(method, name):
    """The training rows lie in the range of the map, so that they come back."""
    rows = deficient()[name]
    whitener = Whitener(method).fit(rows)
    back = whitener.inverse_transform(whitener.transform(rows))
    np.testing.assert_allclose(back, rows, rtol=1e-10, atol=1e-10 * np.abs(rows).max())


# Parameters --------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("epsilon", [1e-6, 0.1, 10.0])
def test_epsilon_is_added_to_the_eigenvalues(method, epsilon):
    rows = FULL_RANK["plain"]
    S = np.cov(rows, rowvar=False)
    if method.endswith("cor"):
        S = np.corrcoef(rows, rowvar=False)
    regular = S + epsilon * np.eye(5)
    W = Whitener(method, epsilon=epsilon).fit(rows).whitening_
    if method.endswith("cor"):
        W = W * rows.std(axis=0, ddof=1)
    np.testing.assert_allclose(W @ regular @ W.T, np.eye(5), rtol=0, atol=1e-10)
    eigenvalues = Whitener(method, epsilon=epsilon).fit(rows).eigenvalues_
    np.testing.assert_allclose(eigenvalues, np.linalg.eigvalsh(S)[::-1], rtol=1e-9)


def test_epsilon_of_deficient_rows():
    """Every direction gets a finite factor, and none is noise."""
    rows = deficient()["duplicated column"]
    whitener = Whitener(epsilon=1e-3).fit(rows)
    assert np.linalg.norm(whitener.whitening_, 2) <= 1e-3**-0.5 * (1 + 1e-12)
    assert whitener.rank_ == 4


@pytest.mark.parametrize("shrinkage", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("method", ["zca", "pca", "cholesky", "zca-cor", "pca-cor"])
@pytest.mark.parametrize("n_rows", [4, 200])
def test_shrinkage_whitens_the_shrunk_covariance(shrinkage, method, n_rows):
    rows = correlated(n_rows, 6, 13)
    S = np.cov(rows, rowvar=False)
    shrunk = (1 - shrinkage) * S + shrinkage * np.trace(S) / 6 * np.eye(6)
    whitener = Whitener(method, shrinkage=shrinkage).fit(rows)
    assert whitener.shrinkage_ == shrinkage
    if n_rows < 6 and shrinkage == 0:
        assert whitener.rank_ == n_rows - 1
        return
    W = whitener.whitening_
    np.testing.assert_allclose(W @ shrunk @ W.T, np.eye(6), rtol=0, atol=1e-9)
    assert whitener.rank_ == 6
    if not method.endswith("cor"):
        expected = np.linalg.eigvalsh(shrunk)[::-1]
        np.testing.assert_allclose(whitener.eigenvalues_, expected, rtol=1e-9)


@pytest.mark.parametrize("name", ["ledoit_wolf", "oas"])
def test_shrinkage_by_name_with_weights(name):
    """Integer weights are repetitions here too."""
    rows = correlated(30, 4, 14)
    weights = np.random.default_rng(0).integers(0, 4, 30)
    weighted = Whitener(shrinkage=name).fit(rows, sample_weight=weights)
    repeated = Whitener(shrinkage=name).fit(np.repeat(rows, weights, axis=0))
    assert weighted.shrinkage_ == pytest.approx(repeated.shrinkage_, abs=1e-13)
    np.testing.assert_allclose(weighted.whitening_, repeated.whitening_, rtol=0, atol=1e-11)


@pytest.mark.parametrize("rank_tol", [1e-3, 0.2])
def test_rank_tolerance_is_of_singular_values(rank_tol):
    rows = correlated(300, 5, 15, condition=100)
    values = np.linalg.svd(rows - rows.mean(axis=0), compute_uv=False)
    whitener = Whitener(rank_tol=rank_tol).fit(rows)
    assert whitener.rank_ == int((values > rank_tol * values[0]).sum())
    projector = covariance(whitener.transform(rows))
    np.testing.assert_allclose(projector @ projector, projector, rtol=0, atol=1e-10)


def test_default_rank_tolerance_keeps_weak_directions():
    """1e-9 of the first is a direction; it is lost in the squares, and not in the rows."""
    rows = correlated(200, 3, 16, condition=1e9)
    for unit in (1, 1e-200, 1e200):
        whitener = Whitener("pca").fit(rows * unit)
        assert whitener.rank_ == 3
        white = covariance(whitener.transform(rows * unit))
        np.testing.assert_allclose(white, np.eye(3), rtol=0, atol=1e-6)


# Learning ----------------------------------------------------------------------------------


@every_method
def test_weights_are_repetitions(method):
    rows = FULL_RANK["plain"]
    weights = np.random.default_rng(0).integers(0, 4, len(rows))
    weighted = Whitener(method).fit(rows, sample_weight=weights)
    repeated = Whitener(method).fit(np.repeat(rows, weights, axis=0))
    np.testing.assert_allclose(weighted.whitening_, repeated.whitening_, rtol=0, atol=1e-11)
    np.testing.assert_allclose(weighted.mean_, repeated.mean_, rtol=1e-13)


@every_method
@pytest.mark.parametrize("shrinkage", [None, 0.1, "ledoit_wolf", "oas"])
@pytest.mark.parametrize("size", [1, 3, 50])
def test_partial_fit_is_fit(method, shrinkage, size):
    rows = FULL_RANK["plain"][:60] + 10
    batched = Whitener(method, shrinkage=shrinkage)
    for start in range(0, 60, size):
        batched.partial_fit(rows[start : start + size])
    fitted = Whitener(method, shrinkage=shrinkage).fit(rows)
    scale = np.abs(fitted.whitening_).max()
    np.testing.assert_allclose(batched.whitening_ / scale, fitted.whitening_ / scale, atol=1e-11)


@pytest.mark.parametrize("kind", [Scatter, Triangle, RadialScatter])
def test_fit_statistic(kind):
    rows = FULL_RANK["plain"]
    statistic = kind.of(rows[:50]).merge(kind.of(rows[50:]))
    found = Whitener().fit_statistic(statistic).whitening_
    np.testing.assert_allclose(found, Whitener().fit(rows).whitening_, rtol=0, atol=1e-11)


@every_method
def test_fit_transform_is_fit_then_transform_bit_for_bit(method):
    rows = FULL_RANK["wine"]
    together = Whitener(method).fit_transform(rows)
    np.testing.assert_array_equal(together, Whitener(method).fit(rows).transform(rows))


@pytest.mark.parametrize(
    ("method", "names"),
    [("zca", ["a", "b"]), ("zca-cor", ["a", "b"]), ("cholesky", ["a", "b"]),
     ("pca", ["whitener0", "whitener1"]), ("pca-cor", ["whitener0", "whitener1"])],
)  # fmt: skip
def test_names_out(method, names):
    statistic = Scatter.of(correlated(20, 2, 17))
    whitener = Whitener(method).fit_statistic(statistic, feature_names=["a", "b"])
    assert whitener.get_feature_names_out().tolist() == names


@pytest.mark.parametrize("make", [Whitener, lambda: PCA(whiten=True)], ids=["Whitener", "PCA"])
def test_rows_of_another_size_after_a_fit(make):
    """What a fit was content with does not drown when rows of 1e9 follow."""
    random = np.random.default_rng(0)
    rows, large = random.normal(size=(1000, 3)), random.normal(size=(10, 3)) * [1e9, 1, 1]
    going_on = make().fit(rows).partial_fit(large)
    at_once = make().fit(np.vstack([rows, large]))
    everything = np.vstack([rows, large])
    np.testing.assert_allclose(covariance(going_on.transform(everything)), np.eye(3), atol=1e-6)
    np.testing.assert_allclose(covariance(at_once.transform(everything)), np.eye(3), atol=1e-6)


@pytest.mark.parametrize("weight", [1e-3, 1e10, 1e16, 1e100])
def test_weights_of_any_size(weight):
    """Weights say nothing about rounding: the rank and the map stay."""
    rows = correlated(200, 3, 0, condition=1e4)
    plain, heavy = Whitener(ddof=0).fit(rows), Whitener(ddof=0).fit(rows, sample_weight=weight)
    assert heavy.rank_ == plain.rank_ == 3
    np.testing.assert_allclose(heavy.whitening_, plain.whitening_, rtol=1e-8, atol=1e-8)


def test_parameters_set_after_fit_wait_for_the_next():
    whitener = Whitener("zca").fit(correlated(50, 3, 0)).set_params(method="pca")
    assert list(whitener.get_feature_names_out()) == ["x0", "x1", "x2"]

"""Scree and cumulative variance."""

import numpy as np
import pytest
from sklearn.decomposition import PCA as TheirPCA
from sklearn.decomposition import IncrementalPCA, KernelPCA, TruncatedSVD
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skscale import PCA, StandardScaler, Whitener
from skscale.errors import InfiniteValueError, TargetError
from skscale.inspection import SpectrumDisplay

RANDOM = np.random.default_rng(0)
ROWS = RANDOM.normal(size=(100, 6)) * [9, 5, 3, 2, 1, 0.5] + 10

draw = SpectrumDisplay.from_estimator


def variances(rows):
    return np.linalg.svd(rows - rows.mean(axis=0), compute_uv=False) ** 2 / (len(rows) - 1)


@pytest.mark.parametrize("solver", ["covariance_eigh", "full", "arpack", "randomized", "auto"])
def test_variances_beyond_the_components_are_known(solver):
    display = draw(PCA(2, svd_solver=solver, random_state=0).fit(ROWS))
    np.testing.assert_allclose(display.variance, variances(ROWS))
    shares = np.cumsum(variances(ROWS)) / variances(ROWS).sum()
    np.testing.assert_allclose(display.cumulative, shares)
    assert (display.n_components, display.rank) == (2, 6)


def test_both_panels_are_drawn():
    display = draw(PCA(0.9).fit(ROWS))
    scree, cumulative = display.axes_
    assert (scree.get_yscale(), cumulative.get_yscale()) == ("log", "linear")
    np.testing.assert_array_equal(display.scree_.get_ydata(), display.variance)
    np.testing.assert_array_equal(display.cumulative_.get_ydata(), display.cumulative)
    assert scree.get_title() == "PCA: variance of 6 components"
    assert display.below_ is None
    assert len(display.component_lines_) == len(display.rank_lines_) == 2
    k, share = display.n_components, 100 * display.cumulative[display.n_components - 1]
    assert display.component_lines_[1].get_xdata() == [k + 0.5, k + 0.5]
    assert display.rank_lines_[0].get_xdata() == [6.5, 6.5]
    kept, rank = display.component_lines_[0], display.rank_lines_[0]
    assert kept.get_linestyle() != rank.get_linestyle()
    assert kept.get_linewidth() > 2 * rank.get_linewidth()  # seen where they are in one place
    for axis in display.axes_:
        assert axis.get_xlim()[1] > 6.7
    assert [text.get_text() for text in cumulative.get_legend().get_texts()] == [
        f"n_components_ = {k}: {share:.1f} %",
        "rank cut: 6 of 6",
    ]


@pytest.mark.parametrize("estimator", [PCA(), PCA(svd_solver="full"), Whitener()])
def test_directions_below_the_cut_are_on_the_floor(estimator):
    rows = np.column_stack([ROWS, ROWS[:, 0] + ROWS[:, 1]])
    display = draw(estimator.fit(rows))
    assert display.rank == 6
    assert len(display.scree_.get_xdata()) == 6
    assert list(display.below_.get_xdata()) == [7]
    assert list(display.below_.get_ydata()) == [display.ax_.get_ylim()[0]]
    assert display.ax_.get_ylim()[0] > 1e-3 * display.variance[5]
    np.testing.assert_allclose(display.variance, variances(rows), atol=1e-12)


def test_wide_rows_are_drawn_as_curves():
    rows = RANDOM.normal(size=(20, 3000))
    display = draw(PCA(5).fit(rows))
    np.testing.assert_allclose(display.variance, variances(rows), atol=1e-8)
    assert (len(display.variance), display.rank) == (20, 19)
    tall = draw(Whitener().fit(RANDOM.normal(size=(60, 40))))
    assert tall.scree_.get_marker() == "None"
    assert len(tall.variance) == 40


@pytest.mark.parametrize(
    ("kind", "rows"),
    [(PCA, [[1.0, 2.0]]), (PCA, [[1.0], [2.0]]), (Whitener, [[1.0, 2.0]] * 3)],
    ids=["one row", "one feature", "constant"],
)
def test_tables_of_little_are_drawn(kind, rows, rendered):
    display = draw(kind().fit(rows))
    rendered(display)
    assert display.rank == np.linalg.matrix_rank(rows - np.mean(rows, axis=0))
    assert not np.isnan(display.cumulative).any()


def test_whiteners_have_no_number_of_components():
    display = draw(Whitener(shrinkage="oas").fit(ROWS))
    assert display.n_components is None
    assert display.component_lines_ == []
    assert display.ax_.get_title() == "Whitener: variance of 6 components"


def test_components_of_scikit_learn_are_shown():
    display = draw(TheirPCA(3).fit(ROWS))
    np.testing.assert_allclose(display.variance, variances(ROWS)[:3])
    np.testing.assert_allclose(display.total, variances(ROWS).sum())
    assert (display.n_components, display.rank) == (3, None)  # of the other three nothing is known
    assert display.rank_lines_ == []
    copies = np.column_stack([ROWS, ROWS])
    assert draw(TheirPCA().fit(copies)).rank == 6
    assert draw(IncrementalPCA().fit(ROWS)).rank == 6
    assert draw(TruncatedSVD(2).fit(ROWS)).rank is None
    with pytest.raises(TargetError, match="got a KernelPCA, which has none"):
        draw(KernelPCA(2).fit(ROWS))


def test_the_last_spectrum_of_a_pipeline_is_shown():
    model = make_pipeline(Whitener(), StandardScaler(), PCA(2), LogisticRegression())
    display = draw(model.fit(ROWS, ROWS[:, 0] > 10))
    assert display.name == "PCA"
    np.testing.assert_allclose(display.variance, np.full(6, 100 / 99))
    bare = make_pipeline(StandardScaler(), LogisticRegression()).fit(ROWS, ROWS[:, 0] > 10)
    with pytest.raises(TargetError, match="a Pipeline of StandardScaler, LogisticRegression"):
        draw(bare)


def test_variances_that_overflow_are_refused():
    for estimator in (PCA(), Whitener()):
        with pytest.raises(InfiniteValueError, match="beyond the range of float64"):
            draw(estimator.fit(ROWS * 1e200))


def test_nothing_is_learned_again():
    pca = PCA(2).fit(ROWS)
    before = {name: id(value) for name, value in vars(pca).items()}
    draw(pca)
    assert {name: id(value) for name, value in vars(pca).items()} == before

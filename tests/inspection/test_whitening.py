"""Covariance before and after, and filters."""

from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pytest
from scipy import sparse
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_digits
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skscale import PCA, StandardScaler, Whitener
from skscale.errors import InfiniteValueError, InvalidParameterError, MissingValueError, TargetError
from skscale.inspection import WhiteningDisplay
from skscale.inspection import _rows as reading

RANDOM = np.random.default_rng(0)
ROWS = RANDOM.normal(size=(200, 4)) @ np.triu(np.ones((4, 4))) + 3
DIGITS = load_digits().data[:300]
N_VARYING = np.count_nonzero(np.ptp(DIGITS, axis=0))

draw = WhiteningDisplay.from_estimator


@pytest.mark.parametrize("ddof", [0, 1])
def test_numbers_are_covariances(ddof):
    display = draw(Whitener(ddof=ddof).fit(ROWS), ROWS)
    np.testing.assert_allclose(display.before, np.cov(ROWS, rowvar=False, ddof=ddof))
    np.testing.assert_allclose(display.after, np.eye(4), atol=1e-12)
    assert display.kind == "covariance"


def test_correlations_are_shown_where_units_differ():
    rows = ROWS * [1, 1, 1000, 1]
    display = draw(make_pipeline(StandardScaler(), Whitener()).fit(rows), rows)
    assert display.kind == "correlation"
    np.testing.assert_allclose(display.before, np.corrcoef(rows, rowvar=False))
    np.testing.assert_allclose(display.after, np.eye(4), atol=1e-12)
    assert display.axes_[0].get_title() == "before\ncorrelation"
    assert display.axes_[1].get_title().startswith("after Pipeline\nwhite to ")
    scaled = draw(StandardScaler().fit(rows), rows)
    np.testing.assert_allclose(scaled.after, np.corrcoef(rows, rowvar=False))


def said(display):
    return display.axes_[1].get_title().split("\n", 1)[1]


@pytest.mark.parametrize("method", ["zca", "zca-cor", "pca", "cholesky"])
def test_white_is_compared_with_what_was_kept(method):
    """A projector of rank `rank_`: by the singular vectors for "zca", and diagonal for others."""
    repeated = np.hstack([ROWS, ROWS[:, :2] @ [[1.0], [2.0]]])
    display = draw(Whitener(method=method).fit(repeated), repeated)
    assert said(display).startswith("white to ")
    if method.startswith("zca"):
        assert said(display).endswith("in 4 of 5 directions")
        centred = repeated - repeated.mean(axis=0)
        centred = centred / centred.std(axis=0) if method == "zca-cor" else centred
        kept = np.linalg.svd(centred, full_matrices=False)[2][:4]
        np.testing.assert_allclose(display.expected, kept.T @ kept, atol=1e-12)
    else:
        assert said(display).endswith("but for 1 constant column")
        np.testing.assert_allclose(display.expected, np.diag([1, 1, 1, 1, 0]), atol=1e-12)
    assert display.distance_ < 1e-10
    constant = np.insert(ROWS, 2, 7.0, axis=1)
    display = draw(Whitener(method=method).fit(constant), constant)
    assert said(display).endswith("but for 1 constant column")
    assert display.distance_ < 1e-10
    some = draw(Whitener(method=method).fit(constant), constant, max_features=3)
    assert said(some).startswith("white to ")


def test_what_is_not_white_says_how_far_and_why():
    damped = draw(Whitener(epsilon=0.5, shrinkage=0.1).fit(ROWS), ROWS)
    assert said(damped) == (
        f"up to {damped.distance_:.2g} off white\nby choice: epsilon=0.5, shrinkage=0.1"
    )
    assert damped.distance_ == np.abs(damped.after - np.eye(4)).max() > 0.1
    learned = Whitener(shrinkage="oas").fit(ROWS)
    assert said(draw(learned, ROWS)).endswith(f"by choice: shrinkage={learned.shrinkage_:.3g}")
    new = RANDOM.normal(size=(50, 4))
    other = draw(Whitener().fit(ROWS), new)
    assert said(other) == f"up to {other.distance_:.2g} off white"
    zeros = np.insert(ROWS, 0, 0.0, axis=1)
    scaled = draw(StandardScaler().fit(zeros), zeros)
    correlation = np.corrcoef(ROWS, rowvar=False) - np.eye(4)
    assert scaled.distance_ == pytest.approx(np.abs(correlation).max(), rel=0.02)
    assert said(scaled).endswith("off white\nbut for 1 constant column")
    whole = draw(PCA(whiten=True).fit(zeros), zeros)
    assert said(whole).startswith("white to ")
    assert said(draw(Whitener().fit([[1.0, 2.0]]), [[1.0, 2.0]])) == (
        "white\nall columns are constant"
    )


@pytest.mark.parametrize("layout", [None, "constrained"])
def test_titles_are_beside_each_other_in_narrow_axes(layout):
    figure, ax = plt.subplots(layout=layout)
    display = draw(Whitener().fit(DIGITS), DIGITS, image_shape=(8, 8), ax=ax)
    figure.canvas.draw()
    titles = [axis.title.get_window_extent() for axis in display.axes_]
    for left, right in pairwise(titles):
        assert left.x1 < right.x0
    assert titles[-1].x1 < figure.bbox.x1
    for axis, title in zip(display.axes_, titles, strict=True):
        assert title.y0 > axis.get_window_extent().y1
    bars = [bar.ax.get_window_extent() for bar in display.colorbars_]
    for bar, axis in zip(bars, display.axes_[:2], strict=True):
        assert bar.width == pytest.approx(axis.get_window_extent().width)
        assert bar.y1 < axis.get_window_extent().y0


def test_colours_are_symmetric_about_zero():
    display = draw(Whitener().fit(ROWS), ROWS)
    assert len(display.images_) == len(display.colorbars_) == len(display.axes_) == 2
    for image in display.images_:
        low, high = image.get_clim()
        assert low == -high
        assert high == pytest.approx(np.abs(image.get_array()).max())


def test_few_features_are_named():
    pandas = pytest.importorskip("pandas", reason="names of columns need a frame")
    frame = pandas.DataFrame(ROWS, columns=list("abcd"))

    def names(axis):
        labels = axis.get_yticklabels()
        return [label.get_text() for label in labels if label.get_visible()]

    display = draw(Whitener().fit(frame), frame)
    assert [names(axis) for axis in display.axes_] == [list("abcd"), []]
    turned = draw(PCA(2, whiten=True).fit(frame), frame)
    assert names(turned.axes_[1]) == ["pca0", "pca1"]


def test_columns_that_are_numbered_are_called_alike_before_and_after():
    pandas = pytest.importorskip("pandas", reason="names of columns need a frame")
    frame = pandas.DataFrame(ROWS, columns=[7, 8, 9, 10])
    display = draw(Whitener().fit(frame), frame)
    assert display.feature_names == display.feature_names_out == ["7", "8", "9", "10"]


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_columns_of_text_are_left_out(library):
    frames = pytest.importorskip(library, reason="columns of text need a frame")
    frame = frames.DataFrame({"city": ["Bonn"] * 200, "a": ROWS[:, 0], "b": ROWS[:, 1]})
    model = make_column_transformer((Whitener(), ["a", "b"])).fit(frame)
    display = draw(model, frame)
    assert display.feature_names == ["a", "b"]
    np.testing.assert_allclose(display.after, np.eye(2), atol=1e-12)


def test_many_features_are_shown_in_part_and_it_is_said():
    rows = RANDOM.normal(size=(30, 1200))
    display = draw(StandardScaler().fit(rows), rows)
    chosen = np.linspace(0, 1199, 100).astype(int)
    np.testing.assert_allclose(
        display.before, np.cov(rows[:, chosen], rowvar=False, ddof=0), atol=1e-12
    )
    assert display.axes_[0].get_title() == "before\ncovariance\n100 of 1,200 features"
    assert display.feature_names[-1] == "x1199"
    some = draw(StandardScaler().fit(rows), rows, max_features=7)
    assert some.after.shape == (7, 7)
    with pytest.raises(InvalidParameterError, match="'max_features' parameter"):
        draw(StandardScaler().fit(rows), rows, max_features=0)


def test_rows_are_read_block_by_block(monkeypatch):
    monkeypatch.setattr(reading, "block_rows", lambda n_features: 7)
    seen = []

    def double(X):
        seen.append(len(X))
        return 2 * X

    display = draw(FunctionTransformer(double).fit(ROWS), ROWS)
    assert seen == [7] * 28 + [4]
    np.testing.assert_allclose(display.after, 4 * np.cov(ROWS, rowvar=False))


@pytest.mark.parametrize("method", ["zca", "pca", "cholesky"])
def test_filters_are_rows_of_the_map(method):
    whitener = Whitener(method=method).fit(DIGITS)
    display = draw(whitener, DIGITS, image_shape=(8, 8))
    np.testing.assert_array_equal(
        display.filters.reshape(16, 64), whitener.whitening_[display.filter_rows]
    )
    assert (np.abs(display.filters).max(axis=(1, 2)) > 0.01).all()
    filled = np.flatnonzero(np.abs(whitener.whitening_).max(axis=1) > 1e-9)
    assert len(filled) == (whitener.rank_ if method != "zca" else N_VARYING) < 64
    assert display.filter_rows[0] == filled[0]
    assert display.filter_rows[-1] == (15 if method == "pca" else filled[-1])
    said = display.axes_[2].get_xlabel().replace("\n", " ")
    assert said == "rows " + ", ".join(map(str, display.filter_rows))
    assert len(display.images_) == 3
    mosaic = display.images_[2].get_array()
    assert mosaic.shape == (4 * 9 - 1, 4 * 9 - 1)
    assert np.nanmax(np.abs(mosaic)) == 1
    assert np.isnan(np.ma.filled(mosaic, np.nan)[8]).all()
    assert display.axes_[2].get_title() == "16 filters\neach by its largest weight"
    assert display.kind == "covariance"  # pixels are of one unit


def test_filters_of_components_are_images_too():
    pca = PCA(3, whiten=True).fit(DIGITS)
    display = draw(make_pipeline(pca).fit(DIGITS), DIGITS, image_shape=(8, 8))
    np.testing.assert_array_equal(display.filters.reshape(3, 64), pca.components_)
    with pytest.raises(TargetError, match="shows filters"):
        draw(StandardScaler().fit(DIGITS), DIGITS, image_shape=(8, 8))


@pytest.mark.parametrize("wrong", [(8, 9), (64,), 64, (8, 8, 1), (0, 64), "8x8"])
def test_wrong_shapes_of_images_are_refused(wrong):
    with pytest.raises(InvalidParameterError, match="image_shape"):
        draw(Whitener(epsilon=1).fit(DIGITS), DIGITS, image_shape=wrong)


@pytest.mark.parametrize(
    "rows",
    [[[1.0, 2.0]], np.float32([[1], [2], [4]])],
    ids=["one row", "one feature, float32"],
)
def test_hostile_tables_are_drawn(rows, rendered):
    display = draw(Whitener().fit(rows), rows, image_shape=(1, len(rows[0])))
    rendered(display)
    assert np.isfinite(display.before).all()
    assert np.isfinite(display.after).all()


def test_sparse_and_huge_rows_are_drawn():
    rows = sparse.random(40, 5, density=0.5, random_state=0, format="csr")
    display = draw(StandardScaler(with_mean=False).fit(rows), rows)
    np.testing.assert_allclose(display.before, np.cov(rows.toarray(), rowvar=False, ddof=0))
    huge = draw(Whitener().fit(ROWS * 1e130), ROWS * 1e130)
    np.testing.assert_allclose(huge.before, np.cov(ROWS, rowvar=False) * 1e260)


def test_what_cannot_be_shown_is_refused():
    with pytest.raises(TypeError, match="X of WhiteningDisplay is a NoneType"):
        draw(Whitener().fit(ROWS), None)
    with pytest.raises(InfiniteValueError, match="beyond the range of float64"):
        draw(Whitener().fit(ROWS * 1e200), ROWS * 1e200)


def test_missing_values_are_refused():
    rows = np.where(ROWS.max() - 0.1 < ROWS, np.nan, ROWS)
    for estimator in (Whitener().fit(ROWS), StandardScaler().fit(rows)):
        with pytest.raises(MissingValueError):
            draw(estimator, rows)


def test_nothing_is_changed():
    rows = ROWS.copy()
    draw(StandardScaler(copy=False).fit(ROWS), rows)
    np.testing.assert_array_equal(rows, ROWS)

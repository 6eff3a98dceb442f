"""Covariance before and after, and filters."""

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
    assert display.axes_[0].get_title() == "before: correlation"
    assert display.axes_[1].get_title().startswith("after Pipeline: covariance\nat most ")
    scaled = draw(StandardScaler().fit(rows), rows)
    np.testing.assert_allclose(scaled.after, np.corrcoef(rows, rowvar=False))


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
        return [label.get_text() for label in axis.get_yticklabels()]

    display = draw(Whitener().fit(frame), frame)
    assert [names(axis) for axis in display.axes_] == [list("abcd"), [""] * 4]
    turned = draw(PCA(2, whiten=True).fit(frame), frame)
    assert names(turned.axes_[1]) == ["pca0", "pca1"]


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_columns_of_text_are_left_out(library):
    frames = pytest.importorskip(library, reason="columns of text need a frame")
    frame = frames.DataFrame({"city": ["Bonn"] * 200, "a": ROWS[:, 0], "b": ROWS[:, 1]})
    model = make_column_transformer((Whitener(), ["a", "b"])).fit(frame)
    display = draw(model, frame)
    assert display.feature_names == ["a", "b"]
    np.testing.assert_allclose(display.after, np.eye(2), atol=1e-12)


def test_many_features_are_shown_in_part_and_it_is_said():
    rows = RANDOM.normal(size=(30, 3000))
    display = draw(StandardScaler().fit(rows), rows)
    chosen = np.linspace(0, 2999, 100).astype(int)
    np.testing.assert_allclose(
        display.before, np.cov(rows[:, chosen], rowvar=False, ddof=0), atol=1e-12
    )
    assert display.axes_[0].get_title() == "before: covariance\n100 of 3,000 features"
    assert display.feature_names[-1] == "x2999"
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


@pytest.mark.parametrize("method", ["zca", "pca", "zca-cor", "cholesky"])
def test_filters_are_rows_of_the_map(method):
    whitener = Whitener(method=method, epsilon=0.1).fit(DIGITS)
    display = draw(whitener, DIGITS, image_shape=(8, 8))
    first = [0, 1, 2] if method == "pca" else [0, 4, 8]
    np.testing.assert_array_equal(display.filters[:3].reshape(3, 64), whitener.whitening_[first])
    assert display.filters.shape == (16, 8, 8)
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
    [[[1.0, 2.0]], [[1.0, 2.0]] * 3, [[1.0], [2.0]], np.float32([[1, 2], [3, 5], [4, 1]])],
    ids=["one row", "constant", "one feature", "float32"],
)
def test_hostile_tables_are_drawn(rows):
    display = draw(Whitener().fit(rows), rows)
    display.figure_.canvas.draw()
    assert np.isfinite(display.before).all()
    assert np.isfinite(display.after).all()


def test_sparse_and_huge_rows_are_drawn():
    rows = sparse.random_array((40, 5), density=0.5, rng=0, format="csr")
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

"""Each feature before and after."""

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
from scipy import sparse
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder

from skscale import PCA, MinMaxScaler, StandardScaler
from skscale.errors import InvalidParameterError, NonNumericColumnError, SchemaError
from skscale.inspection import ScalingDisplay

RANDOM = np.random.default_rng(0)
ROWS = RANDOM.normal(size=(200, 3)) + np.array([5, 0, -5])
NEW = RANDOM.normal(size=(50, 3)) + np.array([5, 2, -7])
LEVELS = (0, 0.05, 0.25, 0.5, 0.75, 0.95, 1)

draw = ScalingDisplay.from_estimator


def labels(ticks):
    return [label.get_text() for label in ticks]


def test_numbers_are_quantiles():
    scaler = StandardScaler().fit(ROWS)
    display = draw(scaler, ROWS, X_new=NEW)
    np.testing.assert_allclose(display.before, np.quantile(ROWS, LEVELS, axis=0))
    np.testing.assert_allclose(display.after, np.quantile(scaler.transform(ROWS), LEVELS, axis=0))
    np.testing.assert_allclose(display.before_new, np.quantile(NEW, LEVELS, axis=0))
    np.testing.assert_allclose(
        display.after_new, np.quantile(scaler.transform(NEW), LEVELS, axis=0)
    )
    outside = ((ROWS.min(axis=0) > NEW) | (ROWS.max(axis=0) < NEW)).mean(axis=0)
    np.testing.assert_array_equal(display.outside, outside)
    assert 0 < outside[1] < 1  # above
    assert 0 < outside[2] < 1  # below


def test_few_features_have_boxes_and_names():
    display = draw(StandardScaler().fit(ROWS), ROWS)
    assert len(display.boxes_) == len(display.lines_) == len(display.axes_) == 2
    assert [len(boxes) for boxes in display.boxes_] == [3, 3]
    assert display.bands_ == display.text_ == []
    assert display.outside_ is None
    assert labels(display.ax_.get_yticklabels()) == ["x0", "x1", "x2"]
    assert display.ax_.get_ylim() == (2.5, -0.5)  # as they come, from the top
    assert display.axes_[1].get_title() == "after StandardScaler"
    assert [axis.yaxis.majorTicks[0].label1.get_visible() for axis in display.axes_] == [
        True,
        False,
    ]
    box = display.boxes_[0][0]
    assert (box.get_x(), box.get_width()) == pytest.approx(
        (display.before[2, 0], display.before[4, 0] - display.before[2, 0])
    )


def test_new_rows_are_beside_training_rows():
    display = draw(StandardScaler().fit(ROWS), ROWS, X_new=NEW)
    assert len(display.boxes_) == 4
    assert len(display.axes_) == 3
    train, new = display.boxes_[:2]
    assert train[0].get_y() + train[0].get_height() < new[0].get_y() + 0.1
    assert train[0].get_facecolor() != new[0].get_facecolor()
    assert (train[0].get_hatch(), new[0].get_hatch()) == ("", "////")
    assert labels(display.axes_[1].get_legend().get_texts()) == ["training rows", "new rows"]
    said = [f"{100 * share:.1f} %" if share else "0 %" for share in display.outside]
    assert [text.get_text() for text in display.text_] == said
    assert len(display.outside_) == 3


def test_many_features_have_bands():
    rows = RANDOM.normal(size=(50, 1200)) + RANDOM.normal(size=1200)
    display = draw(StandardScaler().fit(rows), rows, X_new=rows[:10])
    assert display.boxes_ == display.text_ == []
    assert len(display.bands_) == 6
    assert len(display.lines_) == 4
    assert sum(len(axis.get_children()) for axis in display.axes_) < 80
    assert display.ax_.get_ylabel() == "1,200 features, by median"
    medians = display.lines_[0].get_xdata()
    assert (np.diff(medians) > 0).all()
    np.testing.assert_allclose(medians[0], np.median(np.sort(display.before[3])[:12]))
    assert len(display.axes_[1].get_legend().get_texts()) == 6
    assert display.axes_[2].get_xlabel() == "0 of 1,200 features\nhave some"


def test_extremes_of_groups_are_not_hidden():
    rows = np.zeros((20, 1000))
    rows[3, 123] = 99.0
    display = draw(FunctionTransformer().fit(rows), rows, xscale="linear")
    assert display.bands_[0].get_datalim(display.ax_.transData).x1 == 99


@pytest.mark.parametrize("n_features", [30, 31])
def test_every_number_of_features_is_drawn(n_features):
    rows = RANDOM.normal(size=(20, n_features))
    display = draw(StandardScaler().fit(rows), rows, X_new=rows)
    assert bool(display.boxes_) == (n_features == 30)


def test_axes_are_logarithmic_where_units_differ():
    display = draw(StandardScaler().fit(ROWS * [1, 1, 1e4]), ROWS * [1, 1, 1e4])
    assert [axis.get_xscale() for axis in display.axes_] == ["symlog", "linear"]
    assert "logarithm" in display.ax_.get_xlabel()
    assert display.plot(xscale="linear").ax_.get_xscale() == "linear"
    assert draw(StandardScaler().fit(ROWS), ROWS).ax_.get_xscale() == "linear"
    with pytest.raises(InvalidParameterError, match="'xscale' parameter of ScalingDisplay"):
        display.plot(xscale="log")


def test_missing_and_infinite_values_are_left_out(rendered):
    rows, new = ROWS.copy(), NEW.copy()
    new[:, 0] += 2
    rows[::2, 0] = new[::5, 0] = rows[:, 2] = np.nan
    with pytest.warns(UserWarning, match="2"):
        scaler = StandardScaler().fit(rows)
    display = draw(scaler, rows, X_new=new)
    rendered(display)
    np.testing.assert_allclose(display.before[:, 0], np.quantile(ROWS[1::2, 0], LEVELS))
    assert np.isnan(display.before[:, 2]).all()
    known = new[~np.isnan(new[:, 0]), 0]
    low, high = ROWS[1::2, 0].min(), ROWS[1::2, 0].max()
    assert display.outside[0] == ((known < low) | (known > high)).mean()
    assert 0 < display.outside[0] < 1
    assert np.isnan(display.outside[2])
    assert display.text_[2].get_text() == "no values"
    logarithm = FunctionTransformer(lambda X: np.where(X > 0, 1.0, -np.inf)).fit(ROWS)
    assert draw(logarithm, ROWS).after[0, 0] == 1


@pytest.mark.parametrize(
    "rows",
    [
        np.full((5, 2), 7.0),
        np.array([[1.0, 2.0]]),
        np.array([[1], [2], [2**62 + 1]]),
        ROWS.astype(np.float32),
        [[True, False], [False, False]],
    ],
    ids=["constant", "one row", "one feature of large integers", "float32", "list of bool"],
)
def test_hostile_tables_are_drawn(rows, rendered):
    display = draw(MinMaxScaler().fit(rows), rows, X_new=rows)
    rendered(display)
    assert (display.outside == 0).all()
    np.testing.assert_array_equal(display.before[-1], np.max(rows, axis=0))


def test_marks_of_constant_columns_are_whole():
    rows = np.column_stack([np.zeros(5), np.arange(5.0)])
    for axis in draw(FunctionTransformer().fit(rows), rows).axes_:
        assert axis.get_xlim()[0] < 0


def test_legends_in_given_axes_cover_no_boxes(rendered):
    _, ax = plt.subplots(figsize=(7, 5))
    display = draw(StandardScaler().fit(ROWS), ROWS, X_new=NEW, ax=ax)
    rendered(display)
    legend = display.axes_[1].get_legend().get_window_extent()
    for boxes in display.boxes_[2:]:
        for box in boxes:
            assert box.get_window_extent().y0 > legend.y1
    assert len({axis.get_ylim() for axis in display.axes_}) == 1


def test_sparse_rows_are_drawn():
    rows = sparse.random(40, 5, density=0.3, random_state=0, format="csr")
    display = draw(StandardScaler(with_mean=False).fit(rows), rows, X_new=rows)
    np.testing.assert_allclose(display.before, np.quantile(rows.toarray(), LEVELS, axis=0))


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_frames_give_names(library, rendered):
    frames = pytest.importorskip(library, reason="names of columns need a frame")
    frame, new = (
        frames.DataFrame({"age": rows[:, 0], "cost in $": rows[:, 1], "w" * 40: rows[:, 2]})
        for rows in (ROWS, NEW)
    )
    display = draw(StandardScaler().fit(frame), frame, X_new=new)
    rendered(display)
    assert display.feature_names == ["age", "cost in $", "w" * 40]
    assert labels(display.ax_.get_yticklabels()) == [
        "age",
        r"cost in \$",
        "w" * 12 + "…" + "w" * 11,
    ]
    some = draw(StandardScaler().fit(frame), frame, X_new=new, features=["cost in $", 0])
    assert some.feature_names == some.feature_names_out == ["cost in $", "age"]
    np.testing.assert_array_equal(some.after_new, display.after_new[:, [1, 0]])
    np.testing.assert_array_equal(some.outside, display.outside[[1, 0]])


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_columns_of_text_are_left_out(library):
    frames = pytest.importorskip(library, reason="columns of text need a frame")
    frame = frames.DataFrame({"city": ["Bonn", "Oslo"] * 100, "age": ROWS[:, 0]})
    model = make_column_transformer((StandardScaler(), ["age"]), (OneHotEncoder(), ["city"]))
    display = draw(model.fit(frame), frame)
    assert display.feature_names == ["age"]
    assert display.feature_names_out == [
        "standardscaler__age",
        "onehotencoder__city_Bonn",
        "onehotencoder__city_Oslo",
    ]
    with pytest.raises(NonNumericColumnError, match="city"):
        draw(FunctionTransformer().fit(frame), frame[["city"]])


def test_mixed_features_are_beside_each_other():
    display = draw(PCA(2).fit(ROWS), ROWS, features=[1])
    assert display.feature_names == ["x1"]
    assert labels(display.axes_[1].get_yticklabels()) == ["pca0", "pca1"]
    assert display.axes_[1].yaxis.get_tick_params()["labelleft"]


def test_pipelines_are_shown_up_to_their_predictor():
    model = make_pipeline(StandardScaler(), PCA(2), LogisticRegression())
    display = draw(model.fit(ROWS, ROWS[:, 0] > 5), ROWS)
    assert display.feature_names_out == ["pca0", "pca1"]


def test_rows_are_drawn_at_random_and_said_to_be():
    rows = RANDOM.normal(size=(1000, 2))
    scaler = StandardScaler().fit(rows)
    display = draw(scaler, rows, X_new=rows + 0.5, max_rows=100)
    assert display.ax_.get_title() == "before\n100 of 1,000 rows, new: 100 of 1,000 rows"
    assert not np.array_equal(display.before, draw(scaler, rows).before)
    outside = ((rows + 0.5 > rows.max(axis=0)) | (rows + 0.5 < rows.min(axis=0))).mean(axis=0)
    np.testing.assert_array_equal(display.outside, outside)  # of all rows
    again = draw(scaler, rows, max_rows=100)
    np.testing.assert_array_equal(display.before, again.before)
    other = draw(scaler, rows, max_rows=100, random_state=1)
    assert not np.array_equal(display.before, other.before)
    with pytest.raises(InvalidParameterError, match="'max_rows' parameter of ScalingDisplay"):
        draw(scaler, rows, max_rows=0)


def test_what_has_no_rows_is_refused():
    scaler = StandardScaler().fit(ROWS)
    for wrong in (None, "rows", 3):
        with pytest.raises(TypeError, match="X of ScalingDisplay is a "):
            draw(scaler, wrong)
    for wrong in ("rows", 3):
        with pytest.raises(TypeError, match="X_new of ScalingDisplay is a "):
            draw(scaler, ROWS, X_new=wrong)


def test_units_that_differ_by_all_that_floats_allow_are_drawn(rendered):
    rows = ROWS * [1e-300, 1, 1e300]
    rendered(draw(StandardScaler().fit(rows), rows))


@pytest.mark.parametrize("wrong", [["x9"], [3], [-1], [1.5], []])
def test_unknown_features_are_refused(wrong):
    with pytest.raises(InvalidParameterError, match="features"):
        draw(StandardScaler().fit(ROWS), ROWS, features=wrong)


def test_new_rows_of_other_columns_are_refused():
    pandas = pytest.importorskip("pandas", reason="names of columns need a frame")
    frame = pandas.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]})
    either = FunctionTransformer().fit(frame)
    with pytest.raises(SchemaError, match="X_new has the columns of numbers"):
        draw(either, frame, X_new=frame[["a"]].assign(b="text"))


def test_nothing_is_changed():
    rows, new = ROWS.copy(), NEW.copy()
    scaler = StandardScaler(copy=False).fit(ROWS)
    settings = matplotlib.rcParams.copy()
    draw(scaler, rows, X_new=new)
    np.testing.assert_array_equal(rows, ROWS)
    np.testing.assert_array_equal(new, NEW)
    assert matplotlib.rcParams == settings


def test_a_pipeline_of_nothing_knows_no_names():
    rows = np.arange(12.0).reshape(4, 3)
    pipeline = Pipeline([("nothing", "passthrough")]).fit(rows)
    display = draw(pipeline, rows)
    assert display.feature_names_out == ["x0", "x1", "x2"]
    np.testing.assert_array_equal(display.after, display.before)

"""What all displays have in common: scikit-learn's conventions, and errors."""

import inspect
import subprocess
import sys
from functools import cache
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skscale import PCA, BatchNormalizer, StandardScaler, Whitener, inspection
from skscale.errors import InvalidParameterError, MissingDependencyError, TargetError
from skscale.inspection import (
    GammaDisplay,
    LeakageDisplay,
    ScalingDisplay,
    SpectrumDisplay,
    WhiteningDisplay,
)
from skscale.inspection._fitting import shortened
from skscale.leakage import audit

ROWS = np.random.default_rng(0).normal(size=(60, 4)) @ np.triu(np.ones((4, 4)))
LABELS = np.arange(60) % 2

FITTED = {kind: kind().fit(ROWS) for kind in (BatchNormalizer, StandardScaler, PCA, Whitener)}


@cache
def report():
    return audit(StandardScaler(), ROWS, cv=2)


@cache
def numbers(display):
    """What a display computed, for tests of how it is drawn."""
    return DRAWN[display]()


DRAWN = {
    GammaDisplay: lambda **to: GammaDisplay.from_estimator(FITTED[BatchNormalizer], **to),
    LeakageDisplay: lambda **to: LeakageDisplay.from_report(report(), **to),
    ScalingDisplay: lambda **to: ScalingDisplay.from_estimator(
        FITTED[StandardScaler], ROWS, X_new=ROWS + 1, **to
    ),
    SpectrumDisplay: lambda **to: SpectrumDisplay.from_estimator(FITTED[PCA], **to),
    WhiteningDisplay: lambda **to: WhiteningDisplay.from_estimator(
        FITTED[Whitener], ROWS, image_shape=(2, 2), **to
    ),
}
PANELS = {
    GammaDisplay: 1,
    LeakageDisplay: 1,
    ScalingDisplay: 3,
    SpectrumDisplay: 2,
    WhiteningDisplay: 3,
}
every_display = pytest.mark.parametrize("display", DRAWN)


def test_every_display_is_tried():
    assert {display.__name__ for display in DRAWN} == set(inspection.__all__)


@every_display
def test_a_figure_is_made(display):
    drawn = DRAWN[display]()
    drawn.figure_.canvas.draw()
    assert isinstance(drawn, display)
    assert drawn.ax_ is drawn.axes_[0]
    assert len(drawn.axes_) == PANELS[display]
    assert {axis.figure for axis in drawn.axes_} == {drawn.figure_}
    assert drawn.bounding_ax_ is None
    assert plt.get_fignums() == [drawn.figure_.number]
    assert drawn.ax_.get_title()


@every_display
def test_axes_are_used(display, ax):
    drawn = DRAWN[display](ax=ax)
    assert drawn.figure_ is ax.figure
    assert len(drawn.axes_) == PANELS[display]
    if PANELS[display] == 1:
        assert drawn.ax_ is ax
    else:
        assert drawn.bounding_ax_ is ax
        assert not ax.axison


@every_display
def test_axes_of_ones_own_are_used_as_they_are(display):
    _, given = plt.subplots(1, PANELS[display], squeeze=False)
    drawn = numbers(display).plot(ax=given)
    assert list(drawn.axes_) == list(given.ravel())
    assert drawn.ax_ is given[0, 0]


def test_a_grid_of_all_displays_does_not_collapse():
    """Thirteen features with long names; a layout that finds no room warns, which is an error."""
    names = [f"a very long name of a column {i} of a table" for i in range(13)]
    some = np.linspace(0.0, 2.0, 7 * 13).reshape(7, 13)
    given = [
        ScalingDisplay(
            some,
            some,
            before_new=some,
            after_new=some,
            outside=some[0] / 2,
            feature_names=names,
            feature_names_out=names,
        ),
        WhiteningDisplay(np.eye(13), np.eye(13), feature_names=names, feature_names_out=names),
        numbers(SpectrumDisplay),
        GammaDisplay(some[:1], names),
        numbers(LeakageDisplay),
    ]
    for shown, shape, size in ((given[:4], (2, 2), (14, 9)), (given[::4], (1, 2), (12, 4))):
        figure, grid = plt.subplots(*shape, figsize=size, layout="constrained")
        for display, ax in zip(shown, grid.flat, strict=True):
            display.plot(ax=ax)
        figure.canvas.draw()
        for display in shown:
            for axis in display.axes_:
                place = axis.get_window_extent()
                assert min(place.width, place.height) > 40, type(display).__name__
                labels = [text.get_window_extent() for text in axis.get_yticklabels()]
                for upper, lower in pairwise(sorted(labels, key=lambda label: -label.y0)):
                    assert upper.y0 > lower.y0
                    assert upper.height < 2 * (upper.y0 - lower.y0)


def test_names_are_left_out_where_rows_are_low():
    _, ax = plt.subplots(figsize=(4, 1.6))
    names = [f"x{i}" for i in range(30)]
    display = GammaDisplay(np.ones((1, 30)), names).plot(ax=ax)
    labels = [label.get_text() for label in display.ax_.get_yticklabels()]
    assert 2 <= len(labels) <= 12
    assert labels == names[:: names.index(labels[1])]


def test_long_names_stay_apart():
    start, end = "a very long column name", "of the first table"
    assert shortened(["short", f"{start} {end}"]) == ["short", "a very long …first table"]
    alike = shortened([f"{start} {i} {end}" for i in range(11)])
    assert len(set(alike)) == 11
    assert max(map(len, alike)) == 24
    assert shortened(["a$" * 20])[0].count("$") == shortened(["a$" * 20])[0].count(r"\$")
    assert shortened(["twice", "twice"]) == ["twice", "twice"]


def test_wrong_axes_are_refused():
    _, given = plt.subplots(1, 4)
    for display in DRAWN:
        for wrong in (given, "axes", 3):
            with pytest.raises(InvalidParameterError, match="ax must be one matplotlib Axes"):
                numbers(display).plot(ax=wrong)


@pytest.mark.parametrize("display", [each for each in PANELS if PANELS[each] > 1])
def test_axes_that_cannot_be_divided_are_refused(display, ax):
    DRAWN[display](ax=ax)
    with pytest.raises(InvalidParameterError, match="in use by another display"):
        DRAWN[display](ax=ax)
    with pytest.raises(InvalidParameterError, match="is of no subplot grid"):
        DRAWN[display](ax=ax.figure.add_axes((0.1, 0.1, 0.2, 0.2)))


@every_display
def test_it_is_drawn_again_from_its_numbers(display):
    drawn = numbers(display)
    parameters = list(inspect.signature(display).parameters)
    again = display(**{name: getattr(drawn, name) for name in parameters})
    assert not hasattr(again, "figure_")
    assert again.plot() is again
    assert again.figure_ is not drawn.figure_
    for one, other in zip(drawn.axes_, again.axes_, strict=True):
        assert one.get_title() == other.get_title()
        assert len(one.get_children()) == len(other.get_children())


@pytest.mark.parametrize("display", [GammaDisplay, SpectrumDisplay])
@pytest.mark.parametrize("wrong", [LogisticRegression(), "estimator", PCA, None])
def test_estimators_with_nothing_to_show_are_refused(display, wrong):
    if isinstance(wrong, LogisticRegression):
        wrong = wrong.fit(ROWS, LABELS)
    with pytest.raises(TargetError, match=rf"{display.__name__} shows .*; got (a|the class) \w+"):
        display.from_estimator(wrong)
    assert plt.get_fignums() == []


@pytest.mark.parametrize("display", [ScalingDisplay, WhiteningDisplay])
@pytest.mark.parametrize("wrong", [LogisticRegression(), "estimator", PCA, None])
def test_estimators_without_transform_are_refused(display, wrong):
    with pytest.raises(TargetError, match=rf"{display.__name__} shows what transform does, and "):
        display.from_estimator(wrong, ROWS)


@pytest.mark.parametrize("display", [each for each in DRAWN if each is not LeakageDisplay])
@pytest.mark.parametrize("wrapped", [False, True])
def test_what_is_not_fitted_is_refused(display, wrapped):
    estimator = BatchNormalizer() if display is GammaDisplay else PCA()
    if wrapped:
        estimator = make_pipeline(StandardScaler(), estimator, LogisticRegression())
    rows = [ROWS] if display in (ScalingDisplay, WhiteningDisplay) else []
    with pytest.raises(NotFittedError):
        display.from_estimator(estimator, *rows)


@every_display
def test_without_matplotlib_there_is_an_error_that_says_so(display, monkeypatch):
    drawn = numbers(display)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    for draw in (DRAWN[display], drawn.plot):
        with pytest.raises(MissingDependencyError, match=r'pip install "skscale\[plots\]"'):
            draw()


def test_importing_takes_no_matplotlib():
    code = (
        "import sys; sys.modules['matplotlib'] = None; import skscale, skscale.inspection as i; "
        "assert not [m for m in sys.modules if m.startswith('matplotlib.')]; print(*i.__all__)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == inspection.__all__


@every_display
def test_numbers_and_artists_are_documented(display):
    documented = inspect.getdoc(display)
    drawn = numbers(display)
    for name in [*inspect.signature(display).parameters, *vars(drawn)]:
        assert name in documented, name
    for title in ("Parameters", "Attributes", "Notes", "References", "Examples"):
        assert f"\n{title}\n---" in documented

"""Scales by feature."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skscale import (
    BatchNormalizer,
    GroupNormalizer,
    LayerNormalizer,
    RMSNormalizer,
    StandardScaler,
    SupervisedBatchNormalizer,
)
from skscale.errors import TargetError
from skscale.inspection import GammaDisplay

RANDOM = np.random.default_rng(0)
ROWS = RANDOM.normal(size=(60, 4))

draw = GammaDisplay.from_estimator


def names(display):
    return [label.get_text() for label in display.ax_.get_yticklabels()]


def test_few_features_have_bars_the_largest_first():
    display = draw(BatchNormalizer(affine=([0.5, -1.0, 3.0, 1.0], 7.0)).fit(ROWS))
    assert list(display.order_) == [2, 3, 0, 1]
    assert [bar.get_width() for bar in display.bars_] == [3.0, 1.0, 0.5, -1.0]
    assert names(display) == ["x2", "x3", "x0", "x1"]
    assert display.lines_ == []
    assert display.ax_.get_ylim() == (3.5, -0.5)  # from the top
    assert display.reference_.get_xdata() == [1, 1]
    assert display.ax_.get_title() == "BatchNormalizer\ngamma of 4 features"
    assert display.ax_.get_legend() is None


def test_many_features_have_a_curve():
    gamma = RANDOM.lognormal(size=3000)
    rows = RANDOM.normal(size=(10, 3000))
    display = draw(BatchNormalizer(affine=(gamma, 0.0)).fit(rows))
    assert display.bars_ is None
    np.testing.assert_array_equal(display.lines_[0].get_ydata(), np.sort(gamma)[::-1])
    first = ", ".join(f"x{i}" for i in np.argsort(-gamma)[:5])
    assert display.ax_.get_xlabel() == f"rank of the feature\nfirst: {first}"
    assert display.reference_.get_ydata() == [1, 1]
    assert len(display.ax_.get_children()) < 30
    assert display.ax_.get_xscale() == "log"


@pytest.mark.parametrize("n_features", [1, 30, 31])
def test_every_number_of_features_is_drawn(n_features):
    rows = RANDOM.normal(size=(10, n_features))
    display = draw(BatchNormalizer().fit(rows))
    assert (display.bars_ is None) == (n_features == 31)


@pytest.mark.parametrize("width", [4, 40])
def test_conditions_are_told_apart(width):
    affine = {name: (RANDOM.uniform(size=width), 0.0) for name in ("Bonn", "Oslo")}
    rows = RANDOM.normal(size=(10, width))
    normalizer = BatchNormalizer(affine=affine).fit(rows, condition=["Bonn", "Oslo"] * 5)
    display = draw(normalizer)
    assert display.conditions == ("Bonn", "Oslo")
    assert display.bars_ is None
    one, other = display.lines_
    assert [line.get_label() for line in display.lines_] == ["Bonn", "Oslo"]
    assert one.get_color() != other.get_color()
    assert one.get_marker() != other.get_marker()
    assert display.ax_.get_legend().get_title().get_text() == "condition"
    drawn = one.get_xdata() if width == 4 else one.get_ydata()
    expected = affine["Bonn"][0]
    expected = expected[display.order_] if width == 4 else np.sort(expected)[::-1]
    np.testing.assert_array_equal(drawn, expected)


def test_the_column_of_the_condition_has_no_scale():
    pandas = pytest.importorskip("pandas", reason="names of columns need a frame")
    frame = pandas.DataFrame({"site": ["Bonn", "Oslo"] * 5, "age": np.arange(10.0)})
    affine = {"Bonn": (2.0, 0.0), "Oslo": (1.0, 0.0)}
    normalizer = BatchNormalizer(affine=affine, condition="site").fit(frame)
    assert draw(normalizer).feature_names == ["age"]


@pytest.mark.parametrize("kind", [LayerNormalizer, RMSNormalizer, GroupNormalizer])
def test_normalizers_of_rows_have_scales_too(kind):
    display = draw(kind(affine=([1.0, 2.0, 3.0, 4.0], 0.0)).fit(ROWS))
    assert [bar.get_width() for bar in display.bars_] == [4.0, 3.0, 2.0, 1.0]
    assert display.name == kind.__name__


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_names_come_through_a_pipeline(library):
    frames = pytest.importorskip(library, reason="names of columns need a frame")
    frame = frames.DataFrame({name: ROWS[:, i] for i, name in enumerate("abcd")})
    supervised = SupervisedBatchNormalizer(max_iter=3, random_state=0)
    model = make_pipeline(StandardScaler(), supervised, LogisticRegression())
    display = draw(model.fit(frame, ROWS[:, 0] > 0))
    assert display.name == "SupervisedBatchNormalizer"
    assert display.feature_names == ["a", "b", "c", "d"]
    np.testing.assert_array_equal(display.gamma, supervised.gamma_)


def test_what_has_no_gamma_is_refused():
    with pytest.raises(TargetError, match="got a StandardScaler, which has none"):
        draw(StandardScaler().fit(ROWS))

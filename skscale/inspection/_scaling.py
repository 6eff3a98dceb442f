"""Each feature before and after a transformer, training rows against new ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self, final

import numpy as np
from sklearn.utils import check_random_state

from skscale._kernels import Array
from skscale._parameters import check_parameter, integer, none, one_of
from skscale.errors import SchemaError
from skscale.inspection._distributions import (
    NEW,
    TRAIN,
    draw_bands,
    draw_boxes,
    draw_lines,
    groups,
    set_scale,
)
from skscale.inspection._drawing import (
    VERMILLION,
    panels,
    percent,
    plural,
    require_matplotlib,
)
from skscale.inspection._fitting import (
    FEW,
    fit_text,
    name_rows,
    room_below,
    text_scale,
    tick_size,
)
from skscale.inspection._quantiles import outside, positions, summarize
from skscale.inspection._rows import check_rows
from skscale.inspection._steps import transforming

XSCALES = one_of("auto", "linear", "symlog")


@final
class ScalingDisplay:
    """Each feature before and after, and how many new values are outside the training range.

    Boxes for up to 30 features: the middle half, the median, whiskers from 5 % to 95 %, points at
    the ends. For more features, the same quantiles as bands over the features in the order of their
    medians; more than 100 features are drawn in 100 groups of neighbours, by the medians of each
    quantile, the smallest minimum, the largest maximum and the mean share. New rows are drawn
    beside training rows, and a third panel has the share of their values that are below the minimum
    or above the maximum of the training rows.

    Parameters
    ----------
    before, after : ndarray of shape (7, n_features) and (7, n_features_out)
        Minimum, quantiles 0.05, 0.25, 0.5, 0.75 and 0.95, and maximum of the training rows.
    before_new, after_new : ndarray of the same shapes, default=None
        Those of new rows.
    outside : ndarray of shape (n_features,), default=None
        Share of the new values outside the training range; NaN where there are none.
    feature_names, feature_names_out : sequence of str, default=None
        Names of the features; ``x0`` and so on if not given. Where both are the same, features are
        beside each other.
    name : str, default="after"
        What transforms.
    remark : str, default=""
        Which rows these are the quantiles of.

    Attributes
    ----------
    boxes_ : list of BarContainer
        Middle halves: before, after; for training rows, then new rows. Empty for many features.
    bands_ : list of PolyCollection
        Bands of many features, those of training rows; empty for few.
    lines_ : list of LineCollection or Line2D
        Medians of boxes, or of bands, in the same order.
    outside_ : BarContainer, PolyCollection or None
        What is drawn in the third panel.
    text_ : list of Text
        Shares beside the bars of the third panel.
    ax_ : matplotlib Axes
        The first panel.
    axes_ : ndarray of shape (2,) or (3,), object
        All panels; three if there are new rows.
    figure_ : matplotlib Figure
        Their figure.
    bounding_ax_ : matplotlib Axes or None
        Axes that were divided.

    See Also
    --------
    skscale.leakage.check_split : tests whether two tables know of each other.

    Notes
    -----
    NaN and infinities are left out; a feature without values leaves its place empty. Minima, maxima
    and shares outside are found block by block. The axis is linear, or symmetrically logarithmic
    where a linear one would show some features as points. Cost: a pass over `X` and `X_new`, and
    `max_rows` rows of each transformed and sorted.

    References
    ----------
    Tukey, J. W. (1977). Exploratory Data Analysis. Addison-Wesley.

    Examples
    --------
    >>> import numpy as np
    >>> from skscale import MinMaxScaler
    >>> from skscale.inspection import ScalingDisplay
    >>> train, new = np.array([[0.0, 5.0], [4.0, 9.0]]), np.array([[1.0, 6.0], [5.0, 7.0]])
    >>> display = ScalingDisplay.from_estimator(MinMaxScaler().fit(train), train, X_new=new)
    >>> display.outside
    array([0.5, 0. ])
    >>> display.after[[0, -1]]
    array([[0., 0.],
           [1., 1.]])

    Some of the features, without new rows:

    >>> scaler = MinMaxScaler().fit(train)
    >>> ScalingDisplay.from_estimator(scaler, train, features=["x1"]).feature_names
    ['x1']
    """

    def __init__(
        self,
        before: Array,
        after: Array,
        *,
        before_new: Array | None = None,
        after_new: Array | None = None,
        outside: Array | None = None,
        feature_names: Sequence[str] | None = None,
        feature_names_out: Sequence[str] | None = None,
        name: str = "after",
        remark: str = "",
    ) -> None:
        self.before = before
        self.after = after
        self.before_new = before_new
        self.after_new = after_new
        self.outside = outside
        self.feature_names = feature_names
        self.feature_names_out = feature_names_out
        self.name = name
        self.remark = remark

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        *,
        X_new: Any = None,
        features: Sequence[Any] | None = None,
        max_rows: int | None = 10_000,
        random_state: Any = 0,
        xscale: str = "auto",
        ax: Any = None,
    ) -> Self:
        """Transform rows, and draw them before and after.

        Parameters
        ----------
        estimator : transformer or Pipeline
            Fitted. Of a pipeline that ends in a predictor, the steps before that.
        X : array-like, sparse array or frame of shape (n_samples, n_features)
            Training rows. Columns of text are left out.
        X_new : table like `X`, default=None
            Rows to compare with them.
        features : sequence of str or int, default=None
            Which to show, by name or position, in this order; None for all. Where the transformer
            mixes features, all that it gives are shown.
        max_rows : int or None, default=10000
            Rows whose quantiles are shown, at most, of each table: drawn at random without
            replacement, and named in the title. Ranges, and shares outside, are those of all rows.
            None for all.
        random_state : int, RandomState instance or None, default=0
            Draws these rows.
        xscale : {"auto", "linear", "symlog"}, default="auto"
            Axis of the values.
        ax : matplotlib Axes or as many as there are panels, default=None
            Where to draw; one is divided, None makes a figure.

        Returns
        -------
        display : ScalingDisplay

        Raises
        ------
        TargetError
            If the estimator has no `transform`.
        InvalidParameterError
            If `features`, `max_rows`, `xscale` or `ax` is none of the above.
        TypeError
            If `X` or `X_new` is no table in memory.
        SchemaError
            If `X_new` has other columns than `X`.
        NotFittedError
            If the estimator is not fitted.
        MissingDependencyError
            Without matplotlib.
        """
        require_matplotlib(cls.__name__)
        check_parameter(cls.__name__, "max_rows", integer(at_least=1) | none, max_rows)
        check_parameter(cls.__name__, "xscale", XSCALES, xscale)
        estimator = transforming(cls.__name__, estimator)
        check_rows(cls.__name__, X=X, **({} if X_new is None else {"X_new": X_new}))
        names = [str(name) for name in getattr(estimator, "feature_names_in_", ())]
        random = check_random_state(random_state)
        train = summarize(estimator, X, names, max_rows, random)
        is_columnwise = train.names == train.names_out
        shown = positions(features, train.names)
        kept: Any = shown if is_columnwise else slice(None)
        display = cls(
            train.before[:, shown],
            train.after[:, kept],
            feature_names=[train.names[i] for i in shown],
            feature_names_out=[train.names[i] for i in shown] if is_columnwise else train.names_out,
            name=type(estimator).__name__,
            remark=train.remark,
        )
        if X_new is not None:
            new = summarize(estimator, X_new, names, max_rows, random)
            if new.names != train.names:
                raise SchemaError(
                    f"X_new has the columns of numbers {new.names[:8]} and X {train.names[:8]}, of "
                    f"{len(new.names)} and {len(train.names)}; they must be the same."
                )
            display.before_new, display.after_new = new.before[:, shown], new.after[:, kept]
            display.outside = outside(X, X_new)[shown]
            remarks = [train.remark, new.remark and f"new: {new.remark}"]
            display.remark = ", ".join(filter(None, remarks))
        return display.plot(xscale=xscale, ax=ax)

    def plot(self, *, xscale: str = "auto", ax: Any = None) -> Self:
        """Draw.

        Parameters
        ----------
        xscale : {"auto", "linear", "symlog"}, default="auto"
            Axis of the values.
        ax : matplotlib Axes or as many as there are panels, default=None
            Where to draw; one is divided, None makes a figure.

        Returns
        -------
        display : ScalingDisplay
            This one.
        """
        check_parameter(type(self).__name__, "xscale", XSCALES, xscale)
        names = self._named(self.feature_names, self.before)
        names_out = self._named(self.feature_names_out, self.after)
        is_shared, n_most = names == names_out, max(len(names), len(names_out))
        widths = [4.6, 4.2] if self.outside is None else [4.2, 4.0, 1.8]
        height = 1.6 + 0.3 * max(n_most, 3) if n_most <= FEW else 5.5
        axes = panels(self, ax, widths, height, gap=14 if is_shared else 90)
        scale = text_scale(axes, widths, height)
        self.boxes_: list[Any] = []
        self.bands_: list[Any] = []
        self.lines_: list[Any] = []
        order = _order(self.before)
        order_out = order if is_shared else _order(self.after)
        self._draw(axes[0], self.before, self.before_new, order, names, xscale, scale)
        self._draw(axes[1], self.after, self.after_new, order_out, names_out, xscale, scale)
        if is_shared:
            axes[1].tick_params(labelleft=False)
            axes[1].set_ylabel("")
        axes[0].set_title("before" + (f"\n{self.remark}" if self.remark else ""))
        axes[1].set_title(f"after {self.name}")
        self.outside_: Any = None
        self.text_: list[Any] = []
        if self.outside is not None:
            self._draw_outside(axes[2], np.asarray(self.outside)[order], names)
        if self.before_new is not None or self.bands_:
            if ax is None:  # a figure of our own makes room below
                axes[1].legend(
                    ncols=2, loc="upper center", bbox_to_anchor=(0.5, 0), borderaxespad=4
                )
            else:
                legend = axes[1].legend(loc="lower center", handlelength=1.5, borderaxespad=0.2)
                legend.set_in_layout(False)
                room_below(axes, len(legend.get_texts()), tick_size("x", scale))
        fit_text(axes, scale)
        return self

    @staticmethod
    def _named(names: Sequence[str] | None, of: Array) -> list[str]:
        return [f"x{i}" for i in range(np.shape(of)[1])] if names is None else list(names)

    def _draw(
        self,
        axis: Any,
        train: Array,
        new: Array | None,
        order: Array,
        names: list[str],
        xscale: str,
        scale: float,
    ) -> None:
        both = [np.asarray(each)[:, order] for each in (train, new) if each is not None]
        places = np.arange(len(names))
        if len(names) <= FEW:
            height, shift = (0.6, 0.0) if new is None else (0.34, 0.2)
            for values, look, side in zip(both, (TRAIN, NEW), (-shift, shift), strict=False):
                boxes, medians = draw_boxes(axis, places + side, values, look, height)
                self.boxes_.append(boxes)
                self.lines_.append(medians)
        else:
            bands, median = draw_bands(axis, both[0])
            self.bands_ += bands
            self.lines_ += [median, *(draw_lines(axis, values) for values in both[1:])]
            axis.set_ylabel(f"{plural(len(names), 'feature')}, by median")
        set_scale(axis, xscale, np.hstack(both))
        name_rows(axis, [names[i] for i in order], scale)

    def _draw_outside(self, axis: Any, shares: Array, names: list[str]) -> None:
        from matplotlib.ticker import PercentFormatter

        n_features, known = len(names), np.nan_to_num(shares)
        if n_features <= FEW:
            self.outside_ = axis.barh(np.arange(n_features), known, color=VERMILLION, height=0.6)
            for place, share in enumerate(shares):
                said = "no values" if np.isnan(share) else percent(float(share))
                text = axis.annotate(
                    said,
                    (known[place], place),
                    xytext=(3, 0),
                    textcoords="offset points",
                    va="center",
                )
                text.set_in_layout(False)  # the axis is long enough for it
                self.text_.append(text)
            axis.set_xlim(0, max(2.8 * known.max(), 0.01))
            axis.set_xticks([])
        else:
            parts = groups(n_features)
            self.outside_ = axis.fill_betweenx(
                [np.mean(part) for part in parts],
                0,
                [np.mean(known[part]) for part in parts],
                color=VERMILLION,
                linewidth=0,
                step="mid",
            )
            axis.set_xlim(left=0)
            axis.xaxis.set_major_formatter(PercentFormatter(1.0))
            axis.xaxis.get_major_locator().set_params(nbins=3)
        name_rows(axis, names)
        axis.tick_params(labelleft=False)
        axis.set_title("out of range")
        n_some = np.count_nonzero(known)
        have = "has" if n_some == 1 else "have"
        axis.set_xlabel(f"{n_some:,} of {plural(n_features, 'feature')}\n{have} some")


def _order(values: Array) -> Array:
    """Few features as they come, many by their medians."""
    n_features = np.shape(values)[1]
    return np.arange(n_features) if n_features <= FEW else np.argsort(values[3], kind="stable")

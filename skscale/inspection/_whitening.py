"""Covariance before and after whitening, and the filters that whiten images."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap
from typing import Any, NamedTuple, Self, final

import numpy as np
from sklearn.pipeline import Pipeline

from skscale import _tables as tables
from skscale._kernels import Array
from skscale._parameters import Rule, check_parameter, integer, is_integer, none
from skscale._reduce import tree_reduce
from skscale.inspection._drawing import (
    check_finite,
    panels,
    plural,
    require_matplotlib,
)
from skscale.inspection._fitting import (
    fit_text,
    letter_size,
    room,
    text_scale,
    tick_size,
    write_names,
)
from skscale.inspection._rows import check_rows, dense, open_numbers, slices
from skscale.inspection._steps import names_out, transforming
from skscale.inspection._whiteness import (
    constant_columns,
    expected,
    filters_of,
    spread_out,
    verdict,
    without_constants,
)
from skscale.statistics import Scatter
from skscale.statistics._freedom import degrees_of_freedom

DIVERGING = "RdBu_r"
"""Red above 0, blue below: a palette that the colour-blind tell apart (ColorBrewer)."""

MIXED_UNITS = 10
"""Where deviations differ by more than this, correlations are shown instead of covariances."""

NAMED = 16
"""Up to this many features have their names beside the matrix."""

WIDE = 150
"""Points of a panel whose colour bar has room for more numbers than its ends and its middle."""

image_shape_rule = Rule(
    "a tuple (height, width) of positive ints",
    lambda value: (
        isinstance(value, tuple)
        and len(value) == 2
        and all(is_integer(side) and side > 0 for side in value)
    ),
)


class _Matrix(NamedTuple):
    """A covariance matrix of some of the features of a table, and which those are."""

    values: Array
    names: list[str]
    n_features: int
    shown: Array


@final
class WhiteningDisplay:
    """Covariance of the features before and after, and filters where rows are images.

    Red is above 0, blue below, and white is 0. Whitened rows have a white panel with a red
    diagonal; its title says how far the matrix is from that of white rows.

    Parameters
    ----------
    before, after : ndarray of shape (n_shown, n_shown) and (n_shown_out, n_shown_out)
        Covariance matrices of the features that are shown; `before` may be one of correlations.
    kind : {"covariance", "correlation"}, default="covariance"
        What `before` holds.
    filters : ndarray of shape (n_filters, height, width), default=None
        Rows of the whitening matrix as images.
    filter_rows : sequence of int, default=None
        Which rows they are.
    expected : ndarray of the shape of `after`, default=None
        Covariance that white rows have. None for the identity, without the columns of `after` that
        are constant.
    remark : str, default=""
        What is to be known of the distance between `after` and `expected`.
    feature_names, feature_names_out : sequence of str, default=None
        Names of the features that are shown.
    n_features : int, default=None
        Of how many features those of `before` are; None for all.
    name : str, default="whitening"
        What transforms.

    Attributes
    ----------
    images_ : list of AxesImage
        Before, after, and the mosaic of filters.
    colorbars_ : list of Colorbar
        One below each matrix, symmetric about 0.
    distance_ : float
        The largest difference between `after` and the covariance of white rows.
    ax_ : matplotlib Axes
        The first panel.
    axes_ : ndarray of shape (2,) or (3,), object
        All panels; three if there are filters.
    figure_ : matplotlib Figure
        Their figure.
    bounding_ax_ : matplotlib Axes or None
        Axes that were divided.

    See Also
    --------
    skscale.Whitener : whitens.
    SpectrumDisplay : how many directions are above the rank cut.

    Notes
    -----
    The first panel has correlations where standard deviations differ by more than 10 times, for one
    large covariance hides all others; pixels of images are of one unit, and have covariances.
    Sums of products are divided by ``n - ddof``, with the `ddof` of the transformer if it has one.
    Of more than `max_features` features, so many at even distances are shown; the title says so.
    White rows have variance 1 in all directions that vary. A `Whitener` gives 0 in those without
    variance: compared is with the projector on the `rank_` others, which is ``whitening_ @
    coloring_``. It is the identity but for constant columns where those are all that was lost, and
    has other values off the diagonal of "zca" where columns repeat each other. With `epsilon` or
    `shrinkage` weak directions are less than white by choice; the title names them. Rows other than
    those of the fit are as white as their covariance is alike. Of other transformers the columns
    that vary are compared with the identity. "White" is less than 0.001 from it.

    Filters without weights, such as those of constant pixels, are left out.

    NaN is refused by whiteners; where a transformer takes it, the matrix has no rule for it:
    MissingValueError. Rows are read and transformed block by block. Cost for n rows and m features
    that are shown: ``n m**2`` flops beside the transform. A filter is scaled by its largest weight.

    References
    ----------
    Bell, A. J. and Sejnowski, T. J. (1997). The "independent components" of natural scenes are edge
    filters. Vision Research 37, 3327-3338.
    Kessy, A., Lewin, A. and Strimmer, K. (2018). Optimal whitening and decorrelation. The
    American Statistician 72, 309-314.

    Examples
    --------
    >>> import numpy as np
    >>> from skscale import Whitener
    >>> from skscale.inspection import WhiteningDisplay
    >>> rows = np.random.default_rng(0).normal(size=(50, 4)) @ np.triu(np.ones((4, 4)))
    >>> display = WhiteningDisplay.from_estimator(Whitener().fit(rows), rows)
    >>> display.kind, display.after.round(12) + 0.0
    ('covariance', array([[1., 0., 0., 0.],
           [0., 1., 0., 0.],
           [0., 0., 1., 0.],
           [0., 0., 0., 1.]]))

    Columns in units that differ:

    >>> mixed = rows * [1, 1000, 1, 1]
    >>> WhiteningDisplay.from_estimator(Whitener().fit(mixed), mixed).kind
    'correlation'

    Rows that are images of 2 x 2 pixels:

    >>> whitener = Whitener().fit(rows)
    >>> WhiteningDisplay.from_estimator(whitener, rows, image_shape=(2, 2)).filters.shape
    (4, 2, 2)
    """

    def __init__(
        self,
        before: Array,
        after: Array,
        *,
        kind: str = "covariance",
        filters: Array | None = None,
        filter_rows: Any = None,
        expected: Array | None = None,
        remark: str = "",
        feature_names: Any = None,
        feature_names_out: Any = None,
        n_features: int | None = None,
        name: str = "whitening",
    ) -> None:
        self.before = before
        self.after = after
        self.kind = kind
        self.filters = filters
        self.filter_rows = filter_rows
        self.expected = expected
        self.remark = remark
        self.feature_names = feature_names
        self.feature_names_out = feature_names_out
        self.n_features = n_features
        self.name = name

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        *,
        image_shape: tuple[int, int] | None = None,
        max_features: int | None = 100,
        ax: Any = None,
    ) -> Self:
        """Transform rows, and draw their covariance before and after.

        Parameters
        ----------
        estimator : transformer or Pipeline
            Fitted: a `Whitener`, a `PCA`, or anything else whose covariance is of interest. Of a
            pipeline that ends in a predictor, the steps before that.
        X : array-like, sparse array or frame of shape (n_samples, n_features)
            Rows. Columns of text are left out.
        image_shape : tuple (height, width), default=None
            Draw rows of the whitening matrix as images of this shape too: of those that are not
            empty, the first 16 of "pca", 16 at even distances of other methods. None draws none.
        max_features : int or None, default=100
            Features to show, at most; None for all.
        ax : matplotlib Axes or as many as there are panels, default=None
            Where to draw; one is divided, None makes a figure.

        Returns
        -------
        display : WhiteningDisplay

        Raises
        ------
        TargetError
            If the estimator has no `transform`, or filters are asked for and nothing whitens.
        InvalidParameterError
            If `image_shape` is not that of the columns, or `max_features` or `ax` none of the
            above.
        TypeError
            If `X` is no table in memory.
        MissingValueError
            If there is NaN.
        InfiniteValueError
            If a covariance is beyond the range of float64.
        NotFittedError
            If the estimator is not fitted.
        MissingDependencyError
            Without matplotlib.
        """
        require_matplotlib(cls.__name__)
        check_parameter(cls.__name__, "max_features", integer(at_least=1) | none, max_features)
        check_parameter(cls.__name__, "image_shape", image_shape_rule | none, image_shape)
        estimator = transforming(cls.__name__, estimator)
        check_rows(cls.__name__, X=X)
        filters, filter_rows = (
            (None, None)
            if image_shape is None
            else filters_of(cls.__name__, estimator, image_shape)
        )
        before, after = _covariances(estimator, X, max_features)
        white = expected(_last(estimator), after.n_features, after.shown)
        deviation, kind = np.sqrt(np.diagonal(before.values)), "covariance"
        positive = deviation[deviation > 0]
        are_mixed = positive.max(initial=0) > MIXED_UNITS * positive.min(initial=np.inf)
        if are_mixed and image_shape is None:
            kind, width = "correlation", np.where(deviation > 0, deviation, 1.0)
            before = before._replace(values=before.values / width / width[:, np.newaxis])
        display = cls(
            before.values,
            after.values,
            kind=kind,
            filters=filters,
            filter_rows=filter_rows,
            expected=white.covariance,
            remark=white.remark,
            feature_names=before.names,
            feature_names_out=after.names,
            n_features=before.n_features,
            name=type(estimator).__name__,
        )
        return display.plot(ax=ax)

    def plot(self, *, ax: Any = None) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes or as many as there are panels, default=None
            Where to draw; one is divided, None makes a figure.

        Returns
        -------
        display : WhiteningDisplay
            This one.
        """
        widths = [3.9, 3.9] if self.filters is None else [3.1, 3.1, 3.1]
        axes = panels(self, ax, widths, 4.2)
        scale = text_scale(axes, widths, 4.2)
        self.images_: list[Any] = []
        self.colorbars_: list[Any] = []
        shown = len(self.before)
        before = ["before", self.kind]
        if self.n_features not in (None, shown):
            before.append(f"{shown} of {self.n_features:,} features")
        self._draw_matrix(axes[0], self.before, scale)
        self._name(axes[0], self.feature_names, scale)
        white = without_constants(self.after) if self.expected is None else self.expected
        self.distance_ = float(np.abs(self.after - white).max(initial=0.0))
        titles = [before, [f"after {self.name}", *self._said(white)]]
        self._draw_matrix(axes[1], self.after, scale)
        is_shared = self.feature_names_out is not None and list(self.feature_names_out) == list(
            self.feature_names
        )
        if is_shared:
            axes[1].tick_params(left=False, labelleft=False)
        self._name(axes[1], self.feature_names_out, scale, is_shared)
        if self.filters is not None:
            self._draw_filters(axes[2], np.asarray(self.filters))
            titles.append([plural(len(self.filters), "filter"), "each by its largest weight"])
        size = min(map(letter_size, axes, titles)) * scale
        fit_text(axes, scale)
        for axis, lines in zip(axes, titles, strict=True):
            axis.set_title("\n".join(lines), fontsize=size)
        return self

    def _said(self, white: Array) -> list[str]:
        """How white the rows are, in lines."""
        n_constant = int(np.count_nonzero(np.diagonal(white) == 0))
        remark = self.remark
        if not remark and self.expected is None:
            remark = constant_columns(n_constant, len(white))
        return [verdict(self.distance_), *filter(None, [remark])]

    def _draw_matrix(self, axis: Any, matrix: Array, scale: float) -> None:
        from matplotlib.ticker import MaxNLocator

        largest = float(np.abs(matrix).max(initial=0.0)) or 1.0
        image = axis.imshow(
            matrix, cmap=DIVERGING, vmin=-largest, vmax=largest, interpolation="nearest"
        )
        self.images_.append(image)
        bar = axis.figure.colorbar(
            image,
            cax=axis.inset_axes((0.0, -0.1, 1.0, 0.05)),  # as wide as the matrix, in any layout
            orientation="horizontal",
            ticks=MaxNLocator(
                nbins=4 if room(axis)[0] > WIDE else 2, steps=[1, 2, 5, 10], symmetric=True
            ),
        )
        bar.ax.tick_params(labelsize=tick_size("x", scale))
        self.colorbars_.append(bar)
        axis.set_anchor("N")  # a layout knows how high titles are before it knows the matrix
        axis.set_xticks([])  # those of the rows say it all

    @staticmethod
    def _name(axis: Any, names: Any, scale: float, is_shared: bool = False) -> None:
        if names is not None and len(names) <= NAMED:
            write_names(axis, names, scale)
        elif not is_shared:
            axis.set_ylabel("feature")

    def _draw_filters(self, axis: Any, filters: Array) -> None:
        """A mosaic, with one pixel of nothing between the images."""
        n_filters, height, width = filters.shape
        n_columns = max(1, int(np.ceil(np.sqrt(n_filters))))
        n_rows = max(1, -(-n_filters // n_columns))
        mosaic = np.full((n_rows * (height + 1) - 1, n_columns * (width + 1) - 1), np.nan)
        for i, each in enumerate(filters):
            top, left = (i // n_columns) * (height + 1), (i % n_columns) * (width + 1)
            largest = np.abs(each).max(initial=0.0) or 1.0
            mosaic[top : top + height, left : left + width] = each / largest
        self.images_.append(
            axis.imshow(mosaic, cmap=DIVERGING, vmin=-1, vmax=1, interpolation="nearest")
        )
        axis.set_anchor("N")
        axis.set_xticks([])
        axis.set_yticks([])
        if self.filter_rows:
            lines = wrap("rows " + ", ".join(map(str, self.filter_rows)), 30)
            axis.set_xlabel("\n".join(lines), fontsize=letter_size(axis, lines, 9.0))


def _covariances(estimator: Any, X: Any, max_features: int | None) -> tuple[_Matrix, _Matrix]:
    """Covariance of rows before and after, read and transformed block by block."""
    table, names = open_numbers(
        X, [str(name) for name in getattr(estimator, "feature_names_in_", ())]
    )
    chosen = spread_out(table.shape[1], max_features)
    after_names: list[str] = []

    def measured() -> Iterator[tuple[Scatter, Scatter]]:
        for rows in slices(table):
            block = tables.slice_rows(X, rows.start, rows.stop)
            result = estimator.transform(tables.copy_rows(block))  # with copy=False it writes there
            images, after_names[:] = open_numbers(result, names_out(estimator, result, names))
            kept = spread_out(images.shape[1], max_features)
            yield Scatter.of(dense(table, rows)[:, chosen]), Scatter.of(dense(images)[:, kept])

    before, after = tree_reduce(
        measured(), lambda one, two: (one[0].merge(two[0]), one[1].merge(two[1]))
    )
    ddof = getattr(_last(estimator), "ddof", 1)
    kept = spread_out(len(after_names), max_features)
    return (
        _Matrix(_covariance(before, ddof), [names[i] for i in chosen], len(names), chosen),
        _Matrix(_covariance(after, ddof), [after_names[i] for i in kept], len(after_names), kept),
    )


def _last(estimator: Any) -> Any:
    """What made the columns."""
    return estimator.steps[-1][1] if isinstance(estimator, Pipeline) else estimator


def _covariance(scatter: Scatter, ddof: float) -> Array:
    exponent = scatter.exponent[:, np.newaxis] + scatter.exponent
    freedom = degrees_of_freedom(scatter.total, ddof, np.diagonal(scatter.scatter).sum())
    with np.errstate(over="ignore"):
        covariance: Array = np.ldexp(scatter.scatter / freedom, exponent)
    check_finite("WhiteningDisplay", covariance)
    return covariance

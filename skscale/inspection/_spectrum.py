"""Variances along principal axes, and how many of them are kept."""

from __future__ import annotations

from typing import Any, NamedTuple, Self, final

import numpy as np

from skscale._kernels import Array
from skscale._linalg import rank_tolerance
from skscale.decomposition import PCA, Whitener
from skscale.inspection._drawing import (
    BLUE,
    ORANGE,
    VERMILLION,
    check_finite,
    panels,
    percent,
    plural,
    require_matplotlib,
)
from skscale.inspection._fitting import FEW, fit_text, text_scale
from skscale.inspection._steps import last_step


class _Spectrum(NamedTuple):
    """What a fitted estimator tells of its spectrum; the parameters of the display."""

    variance: Array
    total: float
    n_components: int | None
    rank: int | None


@final
class SpectrumDisplay:
    """Scree and cumulative variance, with the rank cut and the number of components kept.

    Variances are on a logarithmic axis. Those below the rank cut are rounding noise: they are drawn
    as hollow triangles on the floor of the panel, whatever they are.

    Parameters
    ----------
    variance : ndarray of shape (n_known,)
        Variances along the principal axes, descending.
    total : float
        Variance in all directions, also in those not known.
    n_components : int or None, default=None
        Number of components kept; None where all are.
    rank : int or None, default=None
        Number of directions above the rank cut; None where that is not known.
    name : str, default="spectrum"
        What found them.

    Attributes
    ----------
    cumulative : ndarray of shape (n_known,)
        Share of the total variance in the first directions; 0 if there is none.
    scree_ : Line2D
        Variances above the rank cut.
    below_ : Line2D or None
        Marks of those below.
    cumulative_ : Line2D
        The curve of the second panel.
    rank_lines_, component_lines_ : list of Line2D
        One in each panel; empty where they are not known.
    ax_ : matplotlib Axes
        The first panel.
    axes_ : ndarray of shape (2,), object
        Both.
    figure_ : matplotlib Figure
        Their figure.
    bounding_ax_ : matplotlib Axes or None
        Axes that were divided.

    See Also
    --------
    skscale.PCA : chooses components.
    skscale.Whitener : gives each direction variance 1, those below the rank cut 0.

    Notes
    -----
    A fitted `skscale.PCA` keeps a statistic of the rows, so that the variances beyond its
    components are known too, at the cost of one more decomposition: at most ``min(n, p)**2 p``
    flops for n rows and p columns. For other estimators, such as those of scikit-learn, variances
    are those of the components kept; a rank cut beyond these is not known. The rank cut is that of
    `skscale.PCA`: singular values below ``max(n, p) * eps`` times the first, or below what the
    scatter matrix can resolve if the rows were measured by one; for a `Whitener`, its `rank_tol`.

    References
    ----------
    Cattell, R. B. (1966). The scree test for the number of factors. Multivariate Behavioral
    Research 1, 245-276.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from sklearn.pipeline import make_pipeline
    >>> from skscale import PCA, StandardScaler
    >>> from skscale.inspection import SpectrumDisplay
    >>> model = make_pipeline(StandardScaler(), PCA(n_components=0.8)).fit(load_wine().data)
    >>> display = SpectrumDisplay.from_estimator(model)
    >>> display.n_components, len(display.variance), display.rank
    (5, 13, 13)
    >>> float(display.cumulative[4].round(3))
    0.802

    A column that repeats another adds none to the rank:

    >>> whitened = PCA(whiten=True).fit([[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]])
    >>> SpectrumDisplay.from_estimator(whitened).rank
    1
    """

    def __init__(
        self,
        variance: Array,
        total: float,
        n_components: int | None = None,
        rank: int | None = None,
        *,
        name: str = "spectrum",
    ) -> None:
        self.variance = variance
        self.total = total
        self.n_components = n_components
        self.rank = rank
        self.name = name

    @classmethod
    def from_estimator(cls, estimator: Any, *, ax: Any = None) -> Self:
        """Draw the spectrum of a fitted decomposition; no rows are needed.

        Parameters
        ----------
        estimator : PCA, Whitener or Pipeline
            Fitted; of a pipeline, the last step that has a spectrum. Others with
            `explained_variance_` and `explained_variance_ratio_`, such as scikit-learn's `PCA` and
            `TruncatedSVD`, too.
        ax : matplotlib Axes or two of them, default=None
            Where to draw; one is divided, None makes a figure.

        Returns
        -------
        display : SpectrumDisplay

        Raises
        ------
        TargetError
            If nothing has a spectrum.
        InvalidParameterError
            If `ax` is neither two Axes nor one that can be divided.
        InfiniteValueError
            If a variance is beyond the range of float64.
        NotFittedError
            If the estimator is not fitted.
        MissingDependencyError
            Without matplotlib.
        """
        require_matplotlib(cls.__name__)
        step, _ = last_step(
            cls.__name__,
            estimator,
            _has_spectrum,
            "the variances of a fitted PCA or Whitener, or of a Pipeline with one",
        )
        spectrum = _spectrum_of(step)
        check_finite(cls.__name__, spectrum.variance)
        return cls(*spectrum, name=type(step).__name__).plot(ax=ax)

    @property
    def cumulative(self) -> Array:
        shares = np.cumsum(self.variance) / (self.total if self.total > 0 else 1.0)
        return np.minimum(shares, 1.0)

    def plot(self, *, ax: Any = None) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes or two of them, default=None
            Where to draw; one is divided, None makes a figure.

        Returns
        -------
        display : SpectrumDisplay
            This one.
        """
        widths, height = [4.8, 4.2], 3.6
        scree, cumulative = axes = panels(self, ax, widths, height, gap=50)
        n_known = len(self.variance)
        self._draw_scree(scree)
        numbers = np.arange(1, n_known + 1)
        (self.cumulative_,) = cumulative.plot(
            numbers, self.cumulative, color=BLUE, marker="o" if n_known <= FEW else None
        )
        cumulative.set_ylim(0, 1.03)
        cumulative.yaxis.set_major_formatter(_percent_formatter())
        cumulative.set_title("cumulative")
        cumulative.set_ylabel("share of the variance")
        self.rank_lines_: list[Any] = []
        self.component_lines_: list[Any] = []
        for axis in axes:
            self._mark(axis)
            margin = max(0.05 * n_known, 0.2)  # for lines at the ends
            axis.set_xlim(0.5 - margin, n_known + 0.5 + margin)
            axis.set_xlabel("component")
            axis.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
        if self.rank_lines_ or self.component_lines_:
            cumulative.legend(loc="lower right").set_in_layout(False)
        fit_text(axes, text_scale(axes, widths, height))
        return self

    def _draw_scree(self, axis: Any) -> None:
        numbers, variance = np.arange(1, len(self.variance) + 1), np.asarray(self.variance)
        is_above = variance > 0
        if self.rank is not None:
            is_above &= numbers <= self.rank
        marker = "o" if len(variance) <= FEW else None
        (self.scree_,) = axis.plot(
            numbers[is_above], variance[is_above], color=BLUE, marker=marker, label="variance"
        )
        self.below_ = None
        if is_above.any():
            axis.set_yscale("log")
            highest, floor = variance[0] * 2, variance[is_above].min() / 4
            axis.set_ylim(floor, highest)
        if not is_above.all():
            floor = axis.get_ylim()[0] if is_above.any() else 0.0
            (self.below_,) = axis.plot(
                numbers[~is_above],
                np.full(np.count_nonzero(~is_above), floor),
                linestyle="none",
                marker="v",
                markerfacecolor="white",
                color=BLUE,
                clip_on=False,
                label="below the rank cut",
            )
            axis.legend().set_in_layout(False)
        axis.set_title(f"{self.name}: variance of {plural(len(variance), 'component')}")
        axis.set_ylabel("variance")

    def _mark(self, axis: Any) -> None:
        """The number of components, and the rank cut: dashes on a broad line if they agree."""
        k = self.n_components
        if k:
            share = percent(float(self.cumulative[k - 1]))
            self.component_lines_.append(
                axis.axvline(
                    k + 0.5,
                    color=ORANGE,
                    linewidth=4,
                    label=f"n_components_ = {k}: {share}",
                )
            )
        if self.rank is not None:
            self.rank_lines_.append(
                axis.axvline(
                    self.rank + 0.5,
                    color=VERMILLION,
                    linestyle="--",
                    label=f"rank cut: {self.rank} of {len(self.variance)}",
                )
            )


def _has_spectrum(estimator: Any) -> bool:
    return isinstance(estimator, Whitener) or (
        hasattr(estimator, "explained_variance_")
        and hasattr(estimator, "explained_variance_ratio_")
    )


def _spectrum_of(estimator: Any) -> _Spectrum:
    if isinstance(estimator, Whitener):
        variance = np.asarray(estimator.eigenvalues_)
        return _Spectrum(variance, float(variance.sum()), None, estimator.rank_)
    if isinstance(estimator, PCA):
        whole = PCA().fit_statistic(estimator.statistic_)
        variance = whole.explained_variance_
        rank = int(np.count_nonzero(whole._is_signal_))
        return _Spectrum(variance, float(variance.sum()), estimator.n_components_, rank)
    variance = np.asarray(estimator.explained_variance_, dtype=np.float64)
    share = float(np.sum(estimator.explained_variance_ratio_))
    total = float(variance.sum()) / share if share > 0 else 0.0
    return _Spectrum(variance, total, len(variance), _rank_of(estimator))


def _rank_of(estimator: Any) -> int | None:
    """Rank among the components of an estimator that is not ours, if its rows were counted."""
    n_rows, values = getattr(estimator, "n_samples_", None), estimator.singular_values_
    if n_rows is None:
        n_rows = getattr(estimator, "n_samples_seen_", None)
    if n_rows is None or len(values) == 0:
        return None
    precision = float(np.finfo(values.dtype).eps)
    floor = rank_tolerance(n_rows, estimator.n_features_in_, precision) * values[0]
    rank = int(np.count_nonzero(values > floor))
    is_all = rank < len(values) or rank == estimator.n_features_in_
    return rank if is_all else None


def _percent_formatter() -> Any:
    from matplotlib.ticker import PercentFormatter

    return PercentFormatter(1.0)

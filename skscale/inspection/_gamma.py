"""Scales that normalizers multiply their columns by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self, final

import numpy as np

from skscale._kernels import Array
from skscale.inspection._drawing import (
    BLUE,
    GREEN,
    ORANGE,
    SKY,
    VERMILLION,
    panels,
    plural,
    require_matplotlib,
)
from skscale.inspection._fitting import FEW, fit_text, name_rows, shortened, text_scale
from skscale.inspection._steps import last_step, names_out

STYLES = [(BLUE, "o"), (VERMILLION, "s"), (GREEN, "^"), (ORANGE, "D"), (SKY, "v")]
"""Colour and marker of the first conditions, and of the next ones again."""

CALLED_OUT = 5
"""Of many features so many, those with the largest scales, are named."""


@final
class GammaDisplay:
    """Gamma by feature, the largest first: what a normalizer multiplies each column by.

    Bars for up to 30 features, a curve for more, with the names of the first five; a line marks 1,
    at which columns are as standardization leaves them. With conditions, each has markers or a
    curve of its own; curves are sorted each by itself.

    Parameters
    ----------
    gamma : ndarray of shape (n_features,) or (n_conditions, n_features)
        Scales.
    feature_names : sequence of str
        Names of the features.
    conditions : sequence, default=()
        Names of the conditions, where every one of them has a gamma of its own.
    name : str, default="gamma"
        What learned, or was given, these scales.

    Attributes
    ----------
    order_ : ndarray of shape (n_features,), int
        Features from the largest scale to the smallest; by the mean over conditions.
    bars_ : BarContainer or None
        Bars; None for many features, and for conditions.
    lines_ : list of Line2D
        One for each condition, or the curve of many features.
    reference_ : Line2D
        The line at 1.
    ax_ : matplotlib Axes
        Where it was drawn.
    axes_ : ndarray of shape (1,), object
        The same, as other displays have it.
    figure_ : matplotlib Figure
        The figure of `ax_`.
    bounding_ax_ : None
        Axes that were divided; here there are none.

    See Also
    --------
    skscale.SupervisedBatchNormalizer : learns gamma from `y`.
    skscale.BatchNormalizer : takes gamma as it is given.

    Notes
    -----
    Nothing is computed but an order of p numbers. Only gamma is shown, not beta. The scales of a
    `SupervisedBatchNormalizer` have mean square 1 behind the identity: columns above the line are
    worth more to the prediction than the others, columns near 0 are left out.

    References
    ----------
    Ioffe, S. and Szegedy, C. (2015). Batch normalization: accelerating deep network training by
    reducing internal covariate shift. ICML 37, 448-456.

    Examples
    --------
    >>> from skscale import BatchNormalizer
    >>> from skscale.inspection import GammaDisplay
    >>> normalizer = BatchNormalizer(affine=([0.5, 2.0], 0.0)).fit([[1.0, 2.0], [3.0, 8.0]])
    >>> display = GammaDisplay.from_estimator(normalizer)
    >>> [label.get_text() for label in display.ax_.get_yticklabels()]
    ['x1', 'x0']

    By condition:

    >>> by_site = BatchNormalizer(affine={"Bonn": (1.0, 0.0), "Oslo": ([3.0, 1.0], 0.0)})
    >>> by_site = by_site.fit([[1.0, 2.0], [3.0, 8.0]], condition=["Bonn", "Oslo"])
    >>> [line.get_label() for line in GammaDisplay.from_estimator(by_site).lines_]
    ['Bonn', 'Oslo']
    """

    def __init__(
        self,
        gamma: Array,
        feature_names: Sequence[str],
        conditions: Sequence[Any] = (),
        *,
        name: str = "gamma",
    ) -> None:
        self.gamma = gamma
        self.feature_names = feature_names
        self.conditions = conditions
        self.name = name

    @classmethod
    def from_estimator(cls, estimator: Any, *, ax: Any = None) -> Self:
        """Draw the scales of a fitted normalizer.

        Parameters
        ----------
        estimator : estimator or Pipeline
            Fitted, with `gamma_`; of a pipeline, the last step that has it.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : GammaDisplay

        Raises
        ------
        TargetError
            If nothing has a `gamma_`.
        NotFittedError
            If the estimator is not fitted.
        MissingDependencyError
            Without matplotlib.
        """
        require_matplotlib(cls.__name__)
        step, path = last_step(
            cls.__name__,
            estimator,
            lambda each: hasattr(each, "gamma_"),
            "gamma_, of a fitted SupervisedBatchNormalizer, BatchNormalizer, LayerNormalizer, "
            "GroupNormalizer or RMSNormalizer, or of a Pipeline with one",
        )
        gamma = np.asarray(step.gamma_)
        names = names_out(path, otherwise=names_out(step))
        display = cls(
            gamma, names, tuple(getattr(step, "conditions_", ())), name=type(step).__name__
        )
        return display.plot(ax=ax)

    def plot(self, *, ax: Any = None) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : GammaDisplay
            This one.
        """
        gamma = np.atleast_2d(self.gamma)
        n_features = gamma.shape[1]
        is_few = n_features <= FEW
        height = 1.6 + 0.26 * n_features if is_few else 4.0
        (axis,) = axes = panels(self, ax, [6.0], height)
        scale = text_scale(axes, [6.0], height)
        self.order_ = np.argsort(-gamma.mean(axis=0), kind="stable")
        self.bars_ = None
        self.lines_: list[Any] = []
        if is_few:
            self._draw_rows(axis, gamma[:, self.order_], scale)
        else:
            self._draw_curves(axis, gamma[:, self.order_])
        axis.set_title(f"{self.name}\ngamma of {plural(n_features, 'feature')}")
        if len(self.conditions):
            axis.legend(title="condition").set_in_layout(False)
        fit_text(axes, scale)
        return self

    def _draw_rows(self, axis: Any, gamma: Array, scale: float) -> None:
        places = np.arange(gamma.shape[1])
        if len(self.conditions):
            for one, label, (colour, marker) in self._styled(gamma):
                line = axis.plot(one, places, marker, color=colour, label=label, alpha=0.85)
                self.lines_ += line
        else:
            self.bars_ = axis.barh(places, gamma[0], color=BLUE, height=0.7)
        self.reference_ = axis.axvline(1, color="black", linestyle="--", linewidth=1)
        axis.axvline(0, color="black", linewidth=0.8)
        name_rows(axis, [self.feature_names[i] for i in self.order_], scale)
        axis.set_xlabel("gamma (dashed: 1, as standardized)")

    def _draw_curves(self, axis: Any, gamma: Array) -> None:
        ranks = np.arange(1, gamma.shape[1] + 1)
        for one, label, (colour, marker) in self._styled(-np.sort(-gamma, axis=1)):
            some = np.unique(np.geomspace(1, len(ranks), 12).astype(int)) - 1
            marks = {"marker": marker, "markevery": list(some)} if len(self.conditions) else {}
            self.lines_ += axis.plot(ranks, one, color=colour, label=label, **marks)
        self.reference_ = axis.axhline(1, color="black", linestyle="--", linewidth=1)
        axis.axhline(0, color="black", linewidth=0.8)
        axis.set_xscale("log")  # a few large ones are seen among thousands
        axis.xaxis.set_major_formatter("{x:,.0f}")
        first = shortened([self.feature_names[i] for i in self.order_[:CALLED_OUT]])
        axis.set_xlabel("rank of the feature\nfirst: " + ", ".join(first))
        axis.set_ylabel("gamma (dashed: 1, as standardized)")

    def _styled(self, gamma: Array) -> Any:
        labels = [str(each) for each in self.conditions] or ["gamma"]
        for i, (one, label) in enumerate(zip(gamma, labels, strict=True)):
            yield one, label, STYLES[i % len(STYLES)]

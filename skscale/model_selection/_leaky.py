"""What a score would be with the transformers fitted before the split, and how far off that is."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy import stats
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from skscale import _tables as tables
from skscale._kernels import Array
from skscale._splits import Splits

CONFIDENCE = 0.95


@dataclass(frozen=True, repr=False)
class ScoreGap:
    """By how much a score is off when transformers are fitted on all rows, test rows included.

    Attributes
    ----------
    differences : ndarray of shape (n_splits,)
        Leaky minus honest score, split by split.
    mean : float
        Their mean: above 0 if the leak makes the score look better than it is.
    low, high : float
        Its 95 % confidence interval, corrected for the rows that training sets have in common; NaN
        for a single split.

    Notes
    -----
    A score that is NaN in one split, where a fit or a scorer failed, makes all three numbers NaN:
    the mean of the other splits would be about other rows. `differences` tells which split it is.

    Examples
    --------
    >>> import numpy as np
    >>> from skscale.model_selection import ScoreGap
    >>> ScoreGap(np.array([0.02, 0.0, 0.01]), mean=0.01, low=-0.0139, high=0.0339)
    ScoreGap: leaky minus honest score 0.01, 95 % interval -0.0139 to 0.0339, over 3 splits
    """

    differences: Array = field(compare=False)
    mean: float
    low: float
    high: float

    @classmethod
    def of(cls, leaky: Array, honest: Array, splits: Splits) -> ScoreGap:
        """Compare the scores of the same splits.

        Notes
        -----
        The mean of K differences of variance ``s**2`` would have the variance ``s**2 / K`` if they
        were independent. They are not, since training sets overlap; ``s**2 (1 / K + n_test /
        n_train)`` is used instead, with the t distribution of K - 1 degrees of freedom.

        References
        ----------
        Nadeau, C., & Bengio, Y. (2003). Inference for the generalization error. Machine
        Learning, 52(3), 239-281.
        """
        with np.errstate(invalid="ignore"):  # of two infinities
            differences = np.asarray(leaky - honest, dtype=float)
        n_splits, mean = len(differences), float(np.mean(differences))
        if n_splits == 1:
            return cls(differences, mean, np.nan, np.nan)
        n_train = np.array([splits.n_train(k) for k in range(n_splits)])
        n_test = np.array([len(split.test) for split in splits.splits])
        variance = np.var(differences, ddof=1) * (1 / n_splits + np.mean(n_test / n_train))
        quantile = stats.t.ppf((1 + CONFIDENCE) / 2, n_splits - 1)
        reach = float(quantile * np.sqrt(variance))
        return cls(differences, mean, mean - reach, mean + reach)

    def __repr__(self) -> str:
        mean, low, high = (f"{value:.3g}" for value in (self.mean, self.low, self.high))
        said = f"ScoreGap: leaky minus honest score {mean}"
        n_splits = len(self.differences)
        if n_splits == 1:
            return f"{said} in 1 split, too few for an interval"
        failed = int(np.isnan(self.differences).sum())
        if failed:
            return f"{said}, since {failed} of {n_splits} scored NaN"
        return f"{said}, 95 % interval {low} to {high}, over {n_splits} splits"

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(repr(self))}</p>"


class FittedBefore:
    """The steps before the last, fitted once on all rows: the leak.

    Parameters
    ----------
    pipeline : Pipeline
        What would be fitted on training rows.
    X, y : object
        All rows.
    n_rows : int
        How many.
    params : mapping of str to object
        Parameters of the fit, ``step__parameter``.
    """

    def __init__(
        self, pipeline: Pipeline, X: Any, y: Any, n_rows: int, params: Mapping[str, Any]
    ) -> None:
        self._steps: dict[str, Any] = {}
        if len(pipeline.steps) > 1:
            head = clone(pipeline[:-1])
            names = set(head.named_steps)
            own = {key: value for key, value in params.items() if key.split("__")[0] in names}
            copied = tables.take_rows(X, np.arange(n_rows))  # a transformer may work in place
            head.fit(copied, y, **own)
            self._steps = {name: step for name, step in head.steps if hasattr(step, "transform")}

    def fitted(self, pipeline: Pipeline, rows: Any) -> Mapping[str, Any]:
        """All of them, whatever the rows: that is the mistake."""
        return self._steps

    def prefetch(self, pipeline: Pipeline) -> None:
        """Nothing is left to do."""

"""What a score would be with the transformers fitted before the split, and how far off that is."""

from __future__ import annotations

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


@dataclass(frozen=True)
class ScoreGap:
    """By how much a score is off when transformers are fitted on all rows, test rows included.

    Attributes
    ----------
    differences : ndarray of shape (n_splits,)
        Leaky minus honest score, split by split.
    mean : float
        Their mean.
    low, high : float
        Its 95 % confidence interval, corrected for the rows that training sets have in common.
    """

    differences: Array = field(repr=False, compare=False)
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

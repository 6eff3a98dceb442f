"""Throw-away stand-in: fits the ordinary way."""

from __future__ import annotations

from typing import Any

from sklearn.base import clone
from sklearn.pipeline import Pipeline

from skscale import _tables as tables
from skscale._base import StatisticTransformer
from skscale.normalization import BatchNormalizer


class SharedFits:
    """Fits of transformers on the training rows of splits."""

    def __init__(self, X: Any, y: Any, splits: Any, sample_weight: Any = None) -> None:
        self.X, self.y, self.splits, self.sample_weight = X, y, splits, sample_weight

    def fit(self, transformer: Any, split: int) -> Any:
        train, _ = self.splits[split]
        X = tables.take_rows(self.X, train)
        y = None if self.y is None else tables.take_rows(self.y, train)
        fitted = clone(transformer)
        if self.sample_weight is None:
            return fitted.fit(X, y)
        weight = tables.take_rows(self.sample_weight, train)
        if isinstance(fitted, Pipeline):
            return fitted.fit(
                X, y, **{f"{name}__sample_weight": weight for name, _ in fitted.steps}
            )
        return fitted.fit(X, y, sample_weight=weight)

    def prefetch(self, transformer: Any) -> None:
        pass

    def shares(self, transformer: Any) -> bool:
        return isinstance(transformer, StatisticTransformer) and not isinstance(
            transformer, BatchNormalizer
        )

"""The first steps of a Pipeline, fitted on the training rows of a split from shared statistics."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
from sklearn import get_config
from sklearn.pipeline import Pipeline

from skscale._callbacks import has_callbacks
from skscale._chains import is_shareable, is_step
from skscale._kernels import Array
from skscale._splits import Splits
from skscale.errors import SampleWeightError
from skscale.model_selection._sharing import SharedFits
from skscale.model_selection._stand_in import StandIn


class FitsBySplit:
    """Fits the first steps, as far as they share what they measure, on the rows of any split.

    Parameters
    ----------
    pipeline : Pipeline
        What will be fitted, perhaps with other parameters and other steps.
    X, y : object
        The whole table and its labels.
    splits : Splits
        Of their rows.
    params : mapping of str to object
        Parameters of the fits of the Pipeline, ``step__parameter``, for all rows.
    """

    def __init__(
        self, pipeline: Pipeline, X: Any, y: Any, splits: Splits, params: Mapping[str, Any]
    ) -> None:
        self._params: dict[str, dict[str, Any]] = {}
        for key, value in params.items():
            if value is not None:
                step, _, name = key.partition("__")
                self._params.setdefault(step, {})[name] = value
        self._weight = self._first_weight(pipeline, splits.n_rows)
        self._X, self._y, self._splits = X, y, splits
        self._marked: dict[Any, list[int]] = {}
        for k, (train, _) in enumerate(splits):
            self._marked.setdefault(_mark(train), []).append(k)

    @cached_property
    def _fits(self) -> SharedFits | None:
        try:
            return SharedFits(self._X, self._y, self._splits, self._weight)
        except SampleWeightError:
            return None  # in which splits they are wrong, ordinary fits will tell

    def fitted(self, pipeline: Pipeline, rows: Array | None) -> Mapping[str, Any]:
        """Fitted steps by name; none if these are not the training rows of a split."""
        head = self._head(pipeline)
        split = None if head is None or rows is None else self._split_of(rows)
        if head is None or self._fits is None or split is None:
            return {}
        return dict(self._fits.fit(head, split).steps)

    def prefetch(self, pipeline: Pipeline) -> None:
        """Measure now, in one pass, what fits of this Pipeline will need in whatever process."""
        head = self._head(pipeline)
        if head is not None and self._fits is not None:
            self._fits.prefetch(head)

    def _head(self, pipeline: Pipeline) -> Pipeline | None:
        """The first steps, as far as each shares and all have the same weights."""
        head = []
        for name, step in pipeline.steps:
            if not is_step(step):
                continue
            if not is_shareable(step) or not self._is_weighted_alike(name):
                break
            head.append((name, step))
        return Pipeline(head) if head else None

    def _first_weight(self, pipeline: Pipeline, n_rows: int) -> Any:
        """The weights of the first step, one per row."""
        first = next((name for name, step in pipeline.steps if is_step(step)), None)
        weight: Any = self._params.get(first or "", {}).get("sample_weight")
        return weight if np.ndim(weight) and len(weight) == n_rows else None

    def _is_weighted_alike(self, name: str) -> bool:
        params = self._params.get(name, {})
        if self._weight is None:
            return not params
        return params.keys() == {"sample_weight"} and params["sample_weight"] is self._weight

    def _split_of(self, rows: Array) -> int | None:
        candidates = self._marked.get(_mark(rows), ())
        return next((k for k in candidates if np.array_equal(self._splits[k][0], rows)), None)


def share(estimator: Any, X: Any, y: Any, splits: Splits, params: Mapping[str, Any]) -> Any:
    """A stand-in for an estimator whose fits may share; or else the estimator.

    Only a plain Pipeline shares. Where metadata is routed, parameters of `fit` are not told apart
    by step; callbacks are told of every fit, so that every fit must be one.
    """
    if (
        type(estimator) is not Pipeline
        or not estimator.steps
        or get_config()["enable_metadata_routing"]
        or has_callbacks(estimator)
        or not all(isinstance(step, (tuple, list)) and len(step) == 2 for step in estimator.steps)
    ):
        return estimator
    return StandIn.of(estimator, FitsBySplit(estimator, X, y, splits, params))


def routes(params: Mapping[str, Any]) -> bool:
    """Whether there are parameters to route: then only scikit-learn knows what goes where."""
    given = any(value is not None for value in params.values())
    return given and get_config()["enable_metadata_routing"]


def _mark(rows: Array) -> tuple[int, int]:
    """Equal for equal row numbers, and hardly ever for others."""
    return len(rows), zlib.crc32(np.ascontiguousarray(rows, dtype=np.int64).data)

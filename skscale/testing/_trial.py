"""What the laws of a transformer are tried on, and how much rounding they allow."""

from __future__ import annotations

import functools
import inspect
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn import clone
from sklearn.utils import get_tags

from skscale._kernels import Array
from skscale.testing._comparing import EPSILON, assert_alike, assert_close, learned


@dataclass(frozen=True)
class Trial:
    transformer: Any
    truth: Callable[[Array, Array | None, Array], Array] | None
    columnwise: bool
    rowwise: bool
    invertible: bool
    batch_size: int | None
    batch_attributes: tuple[str, ...]
    rows: Array
    cuts: list[list[int]]
    tolerance: float

    @functools.cached_property
    def new(self) -> Array:
        """More than 200 rows, from another distribution than the training rows."""
        return self.another(250)

    @functools.cached_property
    def weights(self) -> Array:
        return np.random.default_rng(7).integers(1, 4, len(self.rows))

    @functools.cached_property
    def takes_weights(self) -> bool:
        return "sample_weight" in inspect.signature(self.transformer.fit).parameters

    @functools.cached_property
    def allows_missing(self) -> bool:
        return bool(get_tags(self.transformer).input_tags.allow_nan)

    @functools.cached_property
    def learns(self) -> bool:
        """Whether the output depends on the training rows at all."""
        one, two = self.fit(self.rows), self.fit(self.another(len(self.rows)))
        return not np.array_equal(one.transform(self.new), two.transform(self.new))

    def another(self, n_rows: int) -> Array:
        middle, width = self.rows.mean(axis=0), self.rows.std(axis=0)
        drawn = np.random.default_rng(n_rows).standard_normal((n_rows, self.rows.shape[1]))
        return middle + width * (0.5 + 1.5 * drawn)

    def has(self, method: str) -> bool:
        return hasattr(self.transformer, method)

    def make(self) -> Any:
        return clone(self.transformer)

    def fit(self, rows: Any, weights: Any = None) -> Any:
        return self.learn(self.make(), "fit", rows, weights)

    def learn(self, transformer: Any, method: str, rows: Any, weights: Any = None) -> Any:
        given = {} if weights is None else {"sample_weight": weights}
        fitted = getattr(transformer, method)(rows, **given)
        assert fitted is transformer, f"{method} does not return self"
        return fitted

    def stream(self, rows: Any, positions: Sequence[int], weights: Any = None) -> Any:
        """Fit batch by batch."""
        transformer, bounds = self.make(), [0, *positions, len(rows)]
        for start, stop in itertools.pairwise(bounds):
            part = None if weights is None else weights[start:stop]
            self.learn(transformer, "partial_fit", rows[start:stop], part)
        return transformer

    def condition(self, rows: Array) -> float:
        if self.columnwise or self.rowwise:
            return 1.0
        rows = np.asarray(rows, dtype=np.float64)
        values = np.linalg.svd(rows - rows.mean(axis=0), compute_uv=False)
        values = values[values > max(rows.shape) * EPSILON * values[0]]
        return float((values[0] / values[-1]) ** 2) if len(values) else 1.0

    def close(self, actual: Any, expected: Any, rows: Array, what: str, extra: float = 0) -> None:
        allowed = extra + self.tolerance * EPSILON * self.condition(rows)
        assert_close(actual, expected, allowed, what, self.columnwise)

    def alike(self, one: Any, other: Any, what: str, rows: Any = None) -> None:
        """Two fits do the same to rounding, and say the same."""
        rows = self.rows if rows is None else rows
        self.close(one.transform(self.new), other.transform(self.new), rows, what)
        mine, theirs = learned(one), learned(other)
        assert mine.keys() == theirs.keys(), f"{what}: attributes {set(mine) ^ set(theirs)}"
        allowed = 1e-9 + self.tolerance * EPSILON * self.condition(rows)
        for name in mine.keys() - set(self.batch_attributes):
            assert_alike(mine[name], theirs[name], allowed, f"{what}: attribute {name}")

"""Tables to try laws on."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from skscale import _tables as tables
from skscale._kernels import Array
from skscale.errors import MissingDependencyError

FRAMES = ("pandas", "polars")
"""What `set_output` can ask for."""


@functools.lru_cache(maxsize=16)
def table(n_rows: int, n_features: int) -> Array:
    """Correlated columns of different means and spreads; read-only."""
    drawn = np.random.default_rng([n_rows, n_features])
    mixing = np.eye(n_features) + 0.4 * np.tri(n_features, k=-1)
    spread = np.resize([1.0, 3.0, 0.5, 10.0], n_features)
    rows = drawn.standard_normal((n_rows, n_features)) @ mixing * spread
    rows += np.resize([0.0, 10.0, -300.0, 1000.0], n_features)
    rows.flags.writeable = False
    return rows


def replaced(rows: Array, where: Any, value: Any) -> Array:
    """A copy with another value somewhere."""
    changed = rows.copy()
    changed[where] = value
    return changed


def frame_of(kind: str, array: Array) -> Any:
    """A frame, or None if its library is not installed."""
    names = [f"column {i}" for i in range(array.shape[1])]
    try:
        return tables.to_frame(array, kind, names, None, False)
    except MissingDependencyError:
        return None

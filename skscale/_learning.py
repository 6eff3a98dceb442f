"""A draft learns from a table in memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from skscale._admission import Occasion, check_weights, effective
from skscale._blocks import measure_table, stored_rows
from skscale._jobs import compute
from skscale._kernels import Array
from skscale._opening import open_table
from skscale._provenance import recorded
from skscale._tables import Table


def learn_table(draft: Any, X: Any, sample_weight: Any, earlier: Any, is_partial: bool) -> None:
    """Learn, as a draft, from rows that are added to those of an earlier statistic, or to none."""
    table = open_table(draft, X, reset=earlier is None)
    weights = check_weights(sample_weight, table.shape[0])
    n_rows, n_features = table.shape
    draft._dtype_ = table.dtype
    occasion = Occasion(
        n_rows, n_features, effective(weights, n_rows), earlier, table.is_sparse, is_partial
    )
    with recorded(draft, table, weights, begins=earlier is None) as note:

        def measured() -> Any:
            return add(draft, earlier, measure(draft, table, weights, note))

        compute(draft._learn_from(occasion, measured))


def measure(
    draft: Any,
    table: Table,
    weights: Array | None,
    note: Callable[[Any, slice], None] | None,
) -> Any:
    """Statistic of a table, as planned; every block is noted."""
    step = draft._block_rows(table.shape[1])
    if table.is_sparse and draft._reads_stored:
        step = stored_rows(table.source)
    with draft._products:
        return measure_table(table, weights, draft._measure, step, type(draft).__name__, note)


def add(draft: Any, earlier: Any, statistic: Any) -> Any:
    """Statistic of rows that were learned from before, if any, and later ones."""
    if earlier is None:
        return statistic
    with draft._products:
        return draft._recast(earlier).merge(statistic)

"""Rows in the form in which an estimator takes them."""

from __future__ import annotations

from typing import Any

from skscale import _tables as tables
from skscale._base import TableTransformer


def handed(step: Any, rows: Any) -> Any:
    """Rows for a step: ours read Arrow tables, others know columns of pandas by name."""
    return rows if isinstance(step, TableTransformer) else tables.without_arrow(rows)

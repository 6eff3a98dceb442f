"""Tables are opened: their columns are learned, or compared with those that were."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.utils.validation import check_is_fitted, validate_data

from skscale import _tables as tables
from skscale._admission import accept_columns, describe_columns, match_columns, unknown_columns
from skscale._tables import Table
from skscale.errors import SchemaError


def open_table(transformer: Any, X: Any, *, reset: bool = False) -> Table:
    """Open a table and compare (or, with `reset`, learn) its columns."""
    apart = transformer._set_apart(X)
    numbers = X if apart is None else tables.without_column(X, apart)
    plain = tables.read_plain(X) if apart is None else None
    accepted = plain is not None and accept_columns(transformer, plain, reset)
    if plain is not None and accepted and _reads(transformer, plain):
        return plain
    if not reset:
        check_is_fitted(transformer)
    table = tables.read(numbers, accept_sparse=_formats(transformer, X))
    given = X if tables.is_frame(X) or apart is not None else table.source
    try:
        validate_data(transformer, given, reset=reset, skip_check_array=True)
    except ValueError as error:
        expected = getattr(transformer, "feature_names_in_", None)
        raise SchemaError(describe_columns(str(error), expected, tables.column_names(X))) from None
    if apart is not None and table.names is None:  # messages count all columns
        table = table._replace(names=[i for i in range(table.shape[1] + 1) if i != apart])
    return table


def open_transformed(transformer: Any, X: Any) -> tuple[Table, Any]:
    """Open a table of transformed rows, and say which of the fitted columns it has."""
    plain = tables.read_plain(X)
    if (
        plain is not None
        and plain.names is None
        and hasattr(transformer, "n_features_in_")
        and plain.shape[1] == transformer._width_out()
        and _reads(transformer, plain)
    ):
        return plain, slice(None)
    check_is_fitted(transformer, "n_features_in_")
    X, columns = _in_order(transformer, X)
    table = tables.read(X, accept_sparse=_formats(transformer, X))
    n_columns = transformer._width_out() if isinstance(columns, slice) else len(columns)
    if table.shape[1] != n_columns:
        raise SchemaError(
            f"X has {table.shape[1]} columns, but inverse_transform of "
            f"{type(transformer).__name__} is expecting {n_columns}, the ones that transform gives."
        )
    return table, columns


def _formats(transformer: Any, X: Any) -> Sequence[str] | bool:
    formats: Sequence[str] | bool = transformer._check_sparse(X) if sparse.issparse(X) else False
    return formats


def _reads(transformer: Any, plain: Table) -> bool:
    formats = _formats(transformer, plain.source)
    return not plain.is_sparse or (isinstance(formats, tuple) and plain.source.format in formats)


def _in_order(transformer: Any, X: Any) -> tuple[Any, Any]:
    """Columns of a frame in the order of the output, and which of the fitted they are."""
    given = tables.column_names(X)
    if given is None:
        return X, slice(None)
    method, named = type(transformer).__name__, hasattr(transformer, "feature_names_in_")
    expected = list(transformer.get_feature_names_out())
    order = match_columns(given, expected, method, named)
    if order is None:
        return X, slice(None)
    fitted, positions = order
    if len(fitted) < len(expected) and not transformer._columnwise:
        raise unknown_columns(given, expected, method)
    return tables.select(X, positions), np.array(fitted)

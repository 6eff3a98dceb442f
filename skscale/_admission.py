"""Who is let in: weights, finite numbers and known columns; and what the others are told.

An error says what was given, what was expected and what to do, in this order.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from skscale._kernels import Array, check_stored, leading
from skscale._parameters import is_real
from skscale._reduce import block_rows, cut
from skscale._tables import Table
from skscale.errors import (
    AllMissingWarning,
    InfiniteValueError,
    MissingValueError,
    SampleWeightError,
    SchemaError,
)

MANY = 2**53
"""Stands for a number of rows that is not known before they are measured."""


class Occasion(NamedTuple):
    """What a fit can know before it measures.

    `n_effective` is the number of rows, or the sum of their weights if that is larger;
    `earlier` is the statistic that the new rows are added to.
    """

    n_rows: int
    n_features: int
    n_effective: float
    earlier: Any = None
    is_sparse: bool = False
    is_partial: bool = False


def check_feature_names(feature_names: Any, n_features: int) -> Array:
    """Names of the columns of a statistic.

    Raises
    ------
    SchemaError
        Not one string per column, or one string twice.
    """
    names = [feature_names] if isinstance(feature_names, str) else list(feature_names)
    strings = all(isinstance(name, str) for name in names)
    if len(names) != n_features or not strings or len(set(names)) < n_features:
        raise SchemaError(
            f"feature_names must be {n_features} different strings, one per column of the "
            f"statistic; got {_list([str(name) for name in names])}."
        )
    return np.array(names, dtype=object)


def accept_columns(estimator: Any, table: Table, reset: bool) -> bool:
    """Do for a plain table what scikit-learn's `validate_data` does where it has no complaint.

    Parameters
    ----------
    estimator : object
        With `reset`, one that has learned no names yet.
    table : Table
        From `read_plain`.
    reset : bool
        Whether to learn the columns instead of comparing them.

    Returns
    -------
    is_accepted : bool
        If not, or if the estimator is not fitted, `validate_data` has something to say.
    """
    state, names = vars(estimator), table.names
    if reset:
        estimator.n_features_in_ = table.shape[1]
        if names is not None:
            estimator.feature_names_in_ = np.array(names, dtype=object)
        return True
    if state.get("n_features_in_") != table.shape[1]:
        return False
    expected = state.get("feature_names_in_")
    if expected is None or names is None:
        return expected is names
    return list(expected) == names


def check_weights(sample_weight: Any, n_rows: int) -> Array | None:
    """Weights of the rows as float64.

    Raises
    ------
    SampleWeightError
        Not one number per row, negative, missing, infinite, or all zero.
    """
    weights = check_some_weights(sample_weight, n_rows)
    if weights is not None and not weights.any():
        raise weightless()
    return weights


def weightless() -> SampleWeightError:
    """Error for rows that are all of weight zero."""
    return SampleWeightError(
        "sample_weight is zero in every row, so there is nothing to learn from. "
        "Sample weights must contain at least one non-zero number."
    )


def check_some_weights(sample_weight: Any, n_rows: int) -> Array | None:
    """As `check_weights`, of rows that others will follow: all may be of weight zero."""
    if sample_weight is None:
        return None
    if is_real(sample_weight):
        weights = np.full(n_rows, float(sample_weight))
    else:
        weights = np.asarray(sample_weight)
        if weights.dtype.kind not in "iubf":
            try:
                weights = weights.astype(np.float64)
            except (TypeError, ValueError):
                raise SampleWeightError(
                    f"sample_weight must be numbers; got dtype {weights.dtype}."
                ) from None
        weights = weights.astype(np.float64)
    if weights.shape != (n_rows,):
        raise SampleWeightError(
            f"sample_weight must be of shape ({n_rows},), one weight per row, or one number; "
            f"got shape {weights.shape}."
        )
    bad = ~(np.isfinite(weights) & (weights >= 0))
    if bad.any():
        first = int(bad.argmax())
        raise SampleWeightError(
            f"sample_weight must be finite and not negative; got {weights[first]} in row {first}."
        )
    with np.errstate(over="ignore"):
        total = weights.sum()
    if not np.isfinite(total):
        raise SampleWeightError(
            f"sample_weight sums to {total}, and must have a finite sum: divide it by a number."
        )
    return weights


def effective(weights: Array | None, n_rows: int) -> float:
    """Number of rows that count; the sum of their weights if that is larger."""
    if weights is None:
        return float(n_rows)
    return max(float(np.count_nonzero(weights)), float(weights.sum()))


def check_stored_values(table: Table, method: str, allow_missing: bool) -> None:
    """The finiteness check of a sparse table, which looks at stored values only."""
    try:
        has_missing = check_stored(table.source)
    except InfiniteValueError as error:
        raise name_infinity(error, 0, table.names) from None
    if has_missing and not allow_missing:
        raise name_missing(table, method)


def name_infinity(
    error: InfiniteValueError, first_row: int, names: Sequence[Any] | None
) -> InfiniteValueError:
    """The same error, counted from the first row of the table and with the column's name."""
    row = first_row + error.row
    label = repr(names[error.column]) if names is not None else str(error.column)
    start, _, rest = str(error).partition(": ")
    value = rest.split(" in row ")[0]
    return InfiniteValueError(
        f"{start}: {value} in row {row}, column {label}. Replace it with a number, or with NaN "
        "where the value is unknown.",
        row,
        error.column,
    )


def name_missing(table: Table, method: str) -> MissingValueError:
    """Error that names every column with NaN."""
    holds = np.zeros(table.shape[1], dtype=bool)
    for rows in cut(table.shape[0], block_rows(table.shape[1])):
        block: Any = table.rows(rows)
        if sparse.issparse(block):
            block = block.toarray()
        holds |= np.isnan(leading(block)).any(axis=0)
    columns = np.flatnonzero(holds).tolist()
    labels = [repr(table.names[i]) if table.names is not None else str(i) for i in columns]
    return MissingValueError(
        f"Input X contains NaN, in columns {', '.join(labels)}. {method} does not accept missing "
        "values: drop those rows, or impute them in a Pipeline, as in make_pipeline("
        f"SimpleImputer(), {method}()).",
        tuple(columns),
    )


def match_columns(
    given: Sequence[Any] | None, expected: Sequence[str], method: str, named: bool
) -> tuple[list[int], list[int]] | None:
    """Where the columns of transformed rows belong.

    Parameters
    ----------
    given : sequence or None
        Their names, or None if they have none.
    expected : sequence of str
        Names of all columns that `transform` gives.
    method : str
        Name of the transformer.
    named : bool
        Whether it was fitted on columns with names; if not, strange names mean nothing.

    Returns
    -------
    fitted, positions : lists of int, or None
        Which of the expected columns are given, in order, and where; None if they are as expected
        or go by position.

    Raises
    ------
    SchemaError
        Unknown or repeated names.
    """
    if given is None or list(given) == list(expected):
        return None
    if not all(isinstance(name, str) for name in given):
        return None
    if not named and not set(given) <= set(expected):
        return None
    if len(set(given)) < len(given) or not set(given) <= set(expected):
        raise unknown_columns(given, expected, method)
    position = {name: i for i, name in enumerate(given)}
    fitted = [i for i, name in enumerate(expected) if name in position]
    return fitted, [position[expected[i]] for i in fitted]


def unknown_columns(
    given: Sequence[Any] | None, expected: Sequence[str], method: str
) -> SchemaError:
    """Error that shows how transformed columns differ from those that `transform` gives."""
    sentence = f"The columns of X are not the ones that transform of {method} gives."
    names = list(given or [])
    repeated = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if repeated:
        difference = f"{sentence}\nMore than once: {_list(repeated)}"
    else:
        difference = describe_columns(sentence, expected, given)
    return SchemaError(f"{difference}\nTo go by position instead of by name, pass X.to_numpy().")


def describe_columns(sentence: str, expected: Any, given: Any) -> str:
    """`sentence` followed by the difference between the columns expected and given."""
    if expected is None or given is None:
        return sentence
    expected, given = [str(name) for name in expected], [str(name) for name in given]
    lines = [sentence.rstrip()]
    for label, names in (
        ("Unknown", [name for name in given if name not in set(expected)]),
        ("Missing", [name for name in expected if name not in set(given)]),
    ):
        if names:
            lines.append(f"{label}: {_list(names)}")
    if len(lines) == 1 and expected != given:
        lines.append(f"Expected: {_list(expected)}")
        lines.append(f"Got: {_list(given)}")
    return "\n".join(lines)


def _list(names: list[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:10])
    return shown if len(names) <= 10 else f"{shown} and {len(names) - 10} more"


def warn_of_empty(empty: Array | None, names: Array | None) -> None:
    """Name the columns without a single value, of which `empty` is a mask."""
    if empty is not None and np.count_nonzero(empty):
        listed = (np.arange(len(empty)) if names is None else names)[empty].tolist()
        warn_caller(
            f"Columns without a single value: {', '.join(map(repr, listed))}. "
            "Nothing was learned about them; they stay NaN. Drop or impute them.",
            AllMissingWarning,
        )


def warn_caller(message: str, category: type[Warning]) -> None:
    """Warn at the line that called us, be it through a method of scikit-learn's."""
    ours = ("skscale", "sklearn", "contextlib")
    level, frame = 2, inspect.currentframe()
    frame = frame.f_back if frame is not None else None
    while frame is not None and frame.f_globals.get("__name__", "").split(".")[0] in ours:
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)

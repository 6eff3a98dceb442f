"""Conditions of rows, and the gamma and beta that each of them has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np

from skscale import _tables as tables
from skscale._kernels import Array
from skscale.errors import ConditionError, InvalidParameterError, SchemaError
from skscale.normalization._affine import affine_parameters

Key = str | int | bool

Values = Array | list[Any]
"""Conditions: an array of numbers, or Python's objects, None where one is missing."""

OWNER = "BatchNormalizer"


class Affine(NamedTuple):
    """Scales and shifts: one for all rows, or one for each condition.

    Parameters
    ----------
    conditions : tuple
        None where all rows have the same.
    gamma, beta : arrays of shape (n_features,), or of shape (n_conditions, n_features)
    """

    conditions: tuple[Key, ...]
    gamma: Array
    beta: Array

    @classmethod
    def of(cls, affine: Any, n_features: int) -> Affine:
        """What a parameter `affine` that `is_affine` allows says about so many columns.

        Raises
        ------
        InvalidParameterError
            Not finite numbers, or not one per column.
        """
        if not isinstance(affine, Mapping):
            return cls((), *affine_parameters(OWNER, affine, n_features))
        pairs = [
            affine_parameters(OWNER, pair, n_features, f" under condition {key!r}")
            for key, pair in affine.items()
        ]
        gamma, beta = (np.stack(parts) for parts in zip(*pairs, strict=True))
        return cls(tuple(affine), gamma, beta)


def is_affine(value: Any) -> bool:
    """Whether this is a pair, or pairs by keys that are all strings or all whole numbers."""
    if isinstance(value, Mapping):
        kinds = {isinstance(key, str) for key in value}
        are_keys = all(isinstance(key, (str, Integral, np.bool_)) for key in value)
        return are_keys and len(kinds) == 1 and all(map(_is_pair, value.values()))
    return _is_pair(value)


def _is_pair(value: Any) -> bool:
    return isinstance(value, tuple) and len(value) == 2


def or_their_mean(by_condition: Array) -> Array:
    """Numbers of the known conditions, and last, at -1, those of any other."""
    with np.errstate(over="ignore"):
        return np.vstack([by_condition, by_condition.mean(axis=0)])


def given_conditions(condition: Any, X: Any) -> Values:
    """Values of an array of one condition per row of `X`.

    Raises
    ------
    ConditionError
        Of another shape.
    """
    shape = _shape(condition)
    n_rows = tables.count_rows(X) if tables.has_rows(X) else None
    if len(shape) != 1 or n_rows not in (None, shape[0]):
        expected = "one per row" if n_rows is None else f"of shape ({n_rows},), one per row"
        raise ConditionError(
            f"condition must be an array {expected} of X; got "
            + (f"shape {shape}." if shape else f"{condition!r}.")
        )
    return tables.values_of(list(condition) if isinstance(condition, tuple) else condition)


def _shape(condition: Any) -> tuple[int, ...]:
    if isinstance(condition, (list, tuple)):
        return (len(condition),)
    if hasattr(condition, "shape"):
        return tuple(condition.shape)
    return np.asarray(condition).shape if hasattr(condition, "__len__") else ()


def numbered(values: Values, known: Sequence[Key]) -> Array:
    """Position of every condition among the known ones; -1 where it is not, or is missing.

    Parameters
    ----------
    values : array of numbers, or list
        None, or NaN in an array, where one is missing.
    known : sequence
        Conditions that have a position.

    Raises
    ------
    ConditionError
        Neither all strings, nor all whole numbers, nor all bools; or of another kind than the
        known ones, among which they could never be.
    """
    if isinstance(values, np.ndarray):  # as objects, which are slow, each number but once
        different = np.unique(values)
        return numbered(tables.objects_of(different), known)[np.searchsorted(different, values)]
    kinds = set(map(type, values)) - {type(None)}
    allowed = (
        (str,),
        (bool, np.bool_),
        (Integral, float, np.floating),  # whole numbers beside missing ones are floats
    )
    kind = next((kind for kind in allowed if all(issubclass(k, kind) for k in kinds)), None)
    if kind is allowed[2] and not kinds.isdisjoint((bool, np.bool_)):
        kind = None
    if kind is None:
        found = ", ".join(sorted(k.__qualname__ for k in kinds))
        raise ConditionError(
            f"condition must hold strings only, ints only or bools only, missing values aside; "
            f"got {found}. Make strings of them, such as [str(value) for value in condition]."
        )
    if any(issubclass(k, (float, np.floating)) for k in kinds):
        floats = (value for value in values if isinstance(value, (float, np.floating)))
        odd = next((value for value in floats if not float(value).is_integer()), None)
        if odd is not None:
            raise ConditionError(
                f"condition must hold strings, ints or bools, which name conditions; got {odd!r}."
            )
    if kinds and known and (kind == (str,)) != isinstance(known[0], str):
        first = next(value for value in values if value is not None)
        raise ConditionError(
            f"condition must be of the kind of the keys of 'affine', such as {known[0]!r}; got "
            f"{first!r}, which could never be one of them."
        )
    position = {key: i for i, key in enumerate(known)}
    return np.array([position.get(value, -1) for value in values], dtype=np.intp)


def position_of(column: str | int, names: list[Any] | None, n_columns: int, is_known: bool) -> int:
    """Position of the column that holds conditions.

    Raises
    ------
    InvalidParameterError
        If there is no such column to learn from, or no other.
    SchemaError
        The same of a table that should be as the one learned from: `is_known`.
    """
    if isinstance(column, str):
        position = names.index(column) if names and column in names else n_columns
        wanted, given = "the name of a column of X", f"X has columns {names}"
    else:
        position, wanted = int(column), f"a position below {n_columns}"
        given = f"X has {n_columns} columns"
    if position < n_columns:
        if n_columns == 1:
            raise (SchemaError if is_known else InvalidParameterError)(
                f"X has no column but the one with the conditions, {column!r}, so that nothing is "
                "left to normalize. Pass columns of numbers beside it."
            )
        return position
    if is_known:
        raise SchemaError(
            f"{given}, and not the one with the conditions, {column!r}, which BatchNormalizer "
            "was fitted with."
        )
    raise InvalidParameterError(
        f"The 'condition' parameter of BatchNormalizer must be {wanted}. Got {column!r} instead: "
        f"{given if names or not isinstance(column, str) else 'the columns of X have no names'}."
    )

"""What a function returned: which tables are in it, and which rows of X theirs are of."""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Iterator, Mapping
from numbers import Number
from typing import Any

import numpy as np

from skscale import _tables as tables
from skscale._kernels import Array

_AT_MOST = 10_000
"""Values that are taken from an iterator, which might have no end."""

_HELD_OUT = re.compile(
    r"[xy]?(test|valid|held|holdout|eval|unseen)\w*|[xy]?(te|tst|val|dev|oos)\d*"
)
_TRAINING = re.compile(r"[xy]?train\w*|[xy]?(tr|trn|fit)\d*")
_WORD = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")


def leaves(results: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Tables and objects among results, with the keys and attributes that lead to them."""
    fields = _fields(results)
    if isinstance(results, Mapping):
        for key, value in results.items():
            yield from leaves(value, f"{name}[{key!r}]")
    elif fields is not None:
        for key, value in fields.items():
            yield from leaves(value, f"{name}.{key}")
    elif isinstance(results, (tuple, Iterator)) or (
        isinstance(results, list) and not _is_table(results)
    ):
        for number, value in enumerate(itertools.islice(results, _AT_MOST)):
            yield from leaves(value, f"{name}[{number}]")
    else:
        yield name, _as_rows(results)


def _fields(value: Any) -> dict[str, Any] | None:
    """What a record holds by name: a named tuple, or an object with tables for attributes."""
    if isinstance(value, type) or tables.has_rows(value):
        return None
    if hasattr(value, "_asdict"):
        return dict(value._asdict())
    if dataclasses.is_dataclass(value):
        return {each.name: getattr(value, each.name) for each in dataclasses.fields(value)}
    if hasattr(value, "fit") or callable(value):
        return None
    held = getattr(value, "__dict__", {})
    return held if any(tables.has_rows(each) for each in held.values()) else None


def _is_table(rows: list[Any]) -> bool:
    plain = (str, bytes, int, float, complex, np.generic, type(None))
    inner = [row if isinstance(row, list) else [row] for row in rows]
    return all(isinstance(value, plain) for row in inner for value in row)


def _as_rows(value: Any) -> Any:
    """Other kinds of arrays, such as tensors, as numpy's."""
    if tables.has_rows(value) or not hasattr(value, "__array__") or np.ndim(value) == 0:
        return value
    return np.asarray(value)


def length(value: Any) -> int:
    """Rows of a table; 0 of anything else."""
    return tables.count_rows(value) if tables.has_rows(value) else 0


def width(value: Any) -> int | None:
    """Columns of a table of two dimensions."""
    shape = value.shape if hasattr(value, "shape") else np.shape(value)
    return int(shape[1]) if len(shape) == 2 else None


def is_names(value: Any) -> bool:
    """Whether it is a list of words, such as names of columns."""
    return isinstance(value, list) and all(isinstance(word, str) for word in value)


def is_number(value: Any) -> bool:
    """Whether it is a number and nothing else, such as a score."""
    return isinstance(value, (Number, np.generic)) or (
        isinstance(value, np.ndarray) and value.ndim == 0
    )


def is_lazy(value: Any) -> bool:
    """Whether it has a plan instead of rows."""
    return not tables.has_rows(value) and (hasattr(value, "collect") or hasattr(value, "compute"))


def unmatched(name: str, value: Any, n_rows: int) -> str:
    """Why a table, or what is none, says nothing about the rows it should be of."""
    if not tables.has_rows(value):
        lazy = "; call .collect() or .compute() on it" if is_lazy(value) else ""
        return f"{name} is {_kind(value)} and not a table with {n_rows} rows{lazy}"
    return (
        f"{name} has {length(value)} rows for {n_rows}, which cannot be matched with those of X; "
        "wrap it in a function prepare(X, y, train, test) that returns its training part"
    )


def unmatched_part(name: str, value: Any, n_train: int, n_test: int) -> str:
    """Why a part of a split says nothing."""
    if not tables.has_rows(value):
        return unmatched(name, value, n_test)
    if _says(name, _HELD_OUT):
        expected = f"one for each of the {n_test} held-out rows, in their order"
    else:
        expected = f"{n_train} for the training part or {n_test} for the held-out one, or a key"
    return (
        f"{name} has {length(value)} rows, which cannot be matched with rows of X: there should be "
        f"{expected}"
    )


def nothing_shown(name: str, results: Any, wanted: str) -> str:
    return (
        f"{name} returned {_kind(results)}, in which there is nothing to compare; return {wanted}"
    )


def _kind(value: Any) -> str:
    if value is None:
        return "None"
    empty = "an empty " if hasattr(value, "__len__") and len(value) == 0 else "a "
    return f"{empty}{type(value).__name__}"


def matched_rows(X: Any, value: Any) -> Array | None:
    """Rows of X that the rows of results are of, by position or else by labels."""
    n_rows = tables.count_rows(X)
    mine, theirs = tables.labels_of(X), tables.labels_of(value)
    if mine is not None and theirs is not None:
        places = {label: row for row, label in enumerate(mine.tolist())}
        found = [places.get(label, -1) for label in theirs.tolist()]
        # Labels that merely count rows were made anew, if there are more or fewer of them.
        is_count = found == list(range(len(found))) and len(found) != n_rows
        if min(found, default=-1) >= 0 and not is_count:
            return np.array(found)
    return np.arange(n_rows) if tables.count_rows(value) == n_rows else None


READ_AS = {
    "train": "training rows",
    "test": "held-out rows",
    "all": "all rows, in the order of X",
}


def reading(name: str, side: str) -> str:
    """How a part was read, where its name does not tell."""
    told = _says(name, _HELD_OUT) or _says(name, _TRAINING)
    return "" if told else f" (read as {READ_AS[side]})"


def _says(name: str, kind: re.Pattern[str]) -> bool:
    """Whether a word of the keys that lead to a part tells which part it is."""
    return any(kind.fullmatch(word.lower()) for word in _WORD.findall(name.removeprefix("prepare")))


def sides(leaves: list[tuple[str, Any]], n_train: int, n_test: int, n_rows: int) -> list[str]:
    """Which part of a split each result is of: "train", "test", "all", or "" for unknown.

    By its name, if that says so; by its number of rows; and in the order of `train_test_split`
    where both parts have as many. What fits neither was resampled, and is of the training part,
    unless it is a later table with the columns of the first. What has no rows was learned from
    training rows, unless it is named after held-out ones, or is a score.
    """
    sides: list[str] = []
    alike = [value for _, value in leaves if length(value) == n_train == n_test]
    together = len(alike) == 4 and np.ndim(alike[0]) != np.ndim(alike[1])
    seen = 0
    shapes = [(width(value), length(value)) for _, value in leaves]
    first = next((shape for shape in shapes if shape[0] is not None), None)
    for (name, value), (n_columns, n_here) in zip(leaves, shapes, strict=True):
        held_out = _says(name, _HELD_OUT)
        if not tables.has_rows(value):
            is_score = held_out or "score" in name
            sides.append("" if is_lazy(value) else "test" if is_score else "train")
        elif held_out:
            sides.append("test" if n_here == n_test else "")
        elif _says(name, _TRAINING):
            sides.append("train")
        elif n_here == n_train == n_test:
            is_test = seen >= 2 if together else seen % 2 == 1
            sides.append("test" if is_test else "train")
            seen += 1
        elif n_here in (n_train, n_test):
            sides.append("train" if n_here == n_train else "test")
        elif n_here == n_rows:
            sides.append("all")
        else:
            is_later = (
                bool(sides) and first is not None and n_columns == first[0] and n_here != first[1]
            )
            sides.append("" if is_later else "train")
    return sides

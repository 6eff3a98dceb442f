"""What a function returned: which tables are in it, and which rows of X theirs are of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from skscale import _tables as tables
from skscale._kernels import Array


def leaves(results: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Tables and objects among results, with the keys that lead to them."""
    if isinstance(results, Mapping):
        for key, value in results.items():
            yield from leaves(value, f"{name}[{key!r}]")
    elif isinstance(results, tuple) or (isinstance(results, list) and not _is_table(results)):
        for number, value in enumerate(results):
            yield from leaves(value, f"{name}[{number}]")
    else:
        yield name, _as_rows(results)


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


def unmatched(name: str, value: Any, n_rows: int) -> str:
    return (
        f"{name} has {length(value)} rows for {n_rows}, which cannot be matched with those of X; "
        "wrap it in a function prepare(X, y, train, test) that returns its training part"
    )


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


def sides(leaves: list[tuple[str, Any]], n_train: int, n_test: int, n_rows: int) -> list[str]:
    """Which part of a split each result is of: "train", "test", "all", or "" for unknown.

    By its name, if that says so; by its number of rows; and in the order of `train_test_split`
    where both parts have as many. What fits neither was resampled, and is of the training part,
    unless it is a later table with the columns of the first.
    """
    sides: list[str] = []
    alike = [value for _, value in leaves if length(value) == n_train == n_test]
    together = len(alike) == 4 and np.ndim(alike[0]) != np.ndim(alike[1])
    seen = 0
    shapes = [(width(value), length(value)) for _, value in leaves]
    first = next((shape for shape in shapes if shape[0] is not None), None)
    for (name, value), (n_columns, n_here) in zip(leaves, shapes, strict=True):
        label = name.partition("[")[2].lower()
        if not tables.has_rows(value):
            sides.append("train")
        elif any(word in label for word in ("test", "valid", "held")):
            sides.append("test" if n_here == n_test else "")
        elif "train" in label:
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

"""What can be audited: an estimator, features(X[, y]) of a whole table, prepare(X, y, train, test)."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np
from sklearn import clone

from skscale import _tables as tables
from skscale._kernels import Array
from skscale.errors import MutatedInputError, TargetError
from skscale.leakage._state import differences

FORMS = (
    "an estimator or Pipeline; a function features(X) or features(X, y) of the whole table; or a "
    "function prepare(X, y, train, test), where train and test are row numbers"
)

_METHODS = (("transform",), ("decision_function", "predict_proba", "predict"))
"""Of each group, the first that there is: the finest that an estimator makes of rows."""


@dataclass(frozen=True)
class Part:
    """Results of which each row belongs to a row of the table.

    Parameters
    ----------
    name : str
        What made it.
    value : table
        Results.
    rows : integer array
        Which row of the table each of its rows is of.
    is_features : bool
        Whether a row must not depend on its own label.
    """

    name: str
    value: Any
    rows: Array
    is_features: bool = False


@dataclass
class Observed:
    """What one run of a target left behind.

    Parameters
    ----------
    fixed : dict
        What is learned from training rows alone, or should be.
    parts : list of Part
        What is made of rows.
    unmatched : str
        Why results could not be matched with rows, if so.
    """

    fixed: dict[str, Any] = field(default_factory=dict)
    parts: list[Part] = field(default_factory=list)
    unmatched: str = ""


class Target(ABC):
    """Something that is run on a table with a split, and sees copies only."""

    knows_split = True
    """Whether it is told which rows are held out, and may treat them as a batch."""

    @abstractmethod
    def run(self, X: Any, y: Any, train: Array, test: Array) -> Observed: ...


@final
class EstimatorTarget(Target):
    """An estimator: fitted on the training rows, and given the held-out ones, and all, afterwards."""

    def __init__(self, estimator: Any, seed: int) -> None:
        self.estimator = clone(estimator, safe=False)
        parameters = getattr(self.estimator, "get_params", dict)()
        unset = [
            name
            for name, value in parameters.items()
            if name.rpartition("__")[2] == "random_state" and value is None
        ]
        if unset:
            self.estimator.set_params(**dict.fromkeys(unset, seed))

    def fit(self, X: Any, y: Any, train: Array) -> Observed:
        """A fit alone, with nothing transformed yet."""
        return Observed({"": self._fit(_Handed(), X, y, train)})

    def run(self, X: Any, y: Any, train: Array, test: Array) -> Observed:
        handed = _Handed()
        model = self._fit(handed, X, y, train)
        seen = Observed({"": model})
        everything = np.arange(tables.count_rows(X))
        # All rows at once last: a transform that learns has learned from the held-out rows by then.
        for rows, table in ((test, tables.take_rows(X, test)), (everything, X)):
            for group in _METHODS:
                name = next((name for name in group if hasattr(model, name)), None)
                if name is None:
                    continue
                value = _as_rows(getattr(model, name)(handed.give(table)))
                if _length(value) == len(rows):
                    seen.parts.append(Part(f"{name}(X)", value, rows))
                else:
                    seen.unmatched = (
                        f"{name}(X) gave {_length(value)} rows for {len(rows)}, which cannot be "
                        "matched with those of X"
                    )
        if not (seen.parts or seen.unmatched):
            seen.unmatched = (
                "the estimator has none of transform, decision_function, predict_proba and "
                "predict, so it is never given a held-out row"
            )
        handed.check()
        return seen

    def _fit(self, handed: _Handed, X: Any, y: Any, train: Array) -> Any:
        model = clone(self.estimator, safe=False)
        given = [handed.give(tables.take_rows(X, train))]
        if y is not None:
            given.append(handed.give(tables.take_rows(y, train)))
        model.fit(*given)
        return model


@final
class FeaturesTarget(Target):
    """A function of the whole table, and perhaps of its labels, that is run before the split."""

    knows_split = False

    def __init__(self, function: Any, takes_labels: bool) -> None:
        self.function = function
        self.takes_labels = takes_labels

    def run(self, X: Any, y: Any, train: Array, test: Array) -> Observed:
        handed = _Handed()
        given = [handed.give(X)] + ([handed.give(y)] if self.takes_labels else [])
        results = self.function(*given)
        handed.check()
        seen = Observed()
        for name, value in _leaves(results, "features"):
            if not tables.has_rows(value):
                seen.fixed[name] = value
                continue
            rows = _matched(X, value)
            if rows is None:
                seen.unmatched = (
                    f"{name} has {_length(value)} rows for {tables.count_rows(X)}, which cannot be "
                    "matched with those of X; write it as prepare(X, y, train, test), which "
                    "returns its training part"
                )
            else:
                first = not any(part.is_features for part in seen.parts)
                seen.parts.append(Part(name, value, rows, first and _width(value) is not None))
        return seen


@final
class PrepareTarget(Target):
    """A function that is told the split and returns a training part, and perhaps a held-out one."""

    def __init__(self, function: Any) -> None:
        self.function = function

    def run(self, X: Any, y: Any, train: Array, test: Array) -> Observed:
        handed = _Handed()
        labels = None if y is None else handed.give(y)
        results = self.function(handed.give(X), labels, train.copy(), test.copy())
        handed.check()
        leaves = list(_leaves(results, "prepare"))
        n_rows = tables.count_rows(X)
        sides = _sides(leaves, len(train), len(test), n_rows)
        seen = Observed()
        rows = {"test": test, "all": np.arange(n_rows)}
        for (name, value), side in zip(leaves, sides, strict=True):
            if side == "train":
                seen.fixed[name] = value
            elif side in rows:
                first = not any(part.is_features for part in seen.parts)
                is_features = first and _width(value) is not None
                seen.parts.append(Part(name, value, rows[side], is_features))
        return seen


def read_target(target: Any, y: Any, seed: int) -> Target:
    """Tell the forms of a target apart.

    Raises
    ------
    TargetError
        If it is none of them.
    """
    if isinstance(target, type):
        raise TargetError(
            f"target is the class {target.__name__}; it must be {FORMS}. Pass an instance: "
            f"{target.__name__}()."
        )
    if hasattr(target, "fit"):
        return EstimatorTarget(target, seed)
    if not callable(target):
        raise TargetError(f"target is a {type(target).__name__}; it must be {FORMS}.")
    required, optional = _parameters(target)
    if len(required) == 4:
        return PrepareTarget(target)
    about_parts = any("train" in name or "test" in name for name in required)
    if about_parts or len(required) not in (1, 2):
        listed = ", ".join(required) or "no required parameters"
        raise TargetError(
            f"target is a function of ({listed}); it must be {FORMS}. Wrap it in a lambda of "
            "one of these forms."
        )
    if len(required) == 2 and y is None:
        raise TargetError(
            f"target is a function of ({', '.join(required)}), and no y was given. Pass y, or a "
            "function of X alone."
        )
    takes_labels = len(required) == 2 or (y is not None and optional[:1] == ["y"])
    return FeaturesTarget(target, takes_labels)


def _parameters(function: Any) -> tuple[list[str], list[str]]:
    """Names of required and of optional positional parameters."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # a ufunc, or another built-in function of one table
        return ["X"], []
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    positional = [p for p in parameters if p.kind in kinds]
    required = [p.name for p in positional if p.default is p.empty]
    return required, [p.name for p in positional if p.default is not p.empty]


class _Handed:
    """Copies that were handed out, beside what they were copied from."""

    def __init__(self) -> None:
        self._pairs: list[tuple[Any, Any]] = []

    def give(self, table: Any) -> Any:
        given = tables.copy_rows(table)
        self._pairs.append((table, given))
        return given

    def check(self) -> None:
        """Raise if one of them was written to."""
        for table, given in self._pairs:
            changed = differences(table, given)
            if changed:
                places = ", ".join(change.where for change in changed[:3] if change.where)
                raise MutatedInputError(
                    "The target writes into the table that it is given"
                    f"{f' ({places})' if places else ''}. What it computes then depends on what "
                    "ran before. Let it work on a copy (X = X.copy(), or copy=True)."
                )


def _leaves(results: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Tables and objects among results, with the keys that lead to them."""
    if isinstance(results, Mapping):
        for key, value in results.items():
            yield from _leaves(value, f"{name}[{key!r}]")
    elif isinstance(results, tuple) or (isinstance(results, list) and not _is_table(results)):
        for number, value in enumerate(results):
            yield from _leaves(value, f"{name}[{number}]")
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


def _length(value: Any) -> int:
    return tables.count_rows(value) if tables.has_rows(value) else 0


def _width(value: Any) -> int | None:
    """Columns of a table of two dimensions."""
    shape = value.shape if hasattr(value, "shape") else np.shape(value)
    return int(shape[1]) if len(shape) == 2 else None


def _matched(X: Any, value: Any) -> Array | None:
    """Rows of X that the rows of results are of, by position or else by labels."""
    n_rows = tables.count_rows(X)
    mine, theirs = tables.labels_of(X), tables.labels_of(value)
    if mine is not None and theirs is not None:
        places = {label: row for row, label in enumerate(mine.tolist())}
        found = [places.get(label, -1) for label in theirs.tolist()]
        if min(found, default=-1) >= 0:
            return np.array(found)
    return np.arange(n_rows) if tables.count_rows(value) == n_rows else None


def _sides(leaves: list[tuple[str, Any]], n_train: int, n_test: int, n_rows: int) -> list[str]:
    """Which part of a split each result is of: "train", "test", "all", or "" for unknown.

    By its name, if that says so; by its number of rows; and in the order of `train_test_split`
    where both parts have as many. What fits neither was resampled, and is of the training part,
    unless it is a later table with the columns of the first.
    """
    sides: list[str] = []
    alike = [value for _, value in leaves if _length(value) == n_train == n_test]
    together = len(alike) == 4 and np.ndim(alike[0]) != np.ndim(alike[1])
    seen = 0
    widths = [
        (_width(value), _length(value)) if tables.has_rows(value) else None for _, value in leaves
    ]
    for (name, value), width in zip(leaves, widths, strict=True):
        n_here, label = _length(value), name.partition("[")[2].lower()
        if width is None:
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
            first = next((known for known in widths if known and known[0] is not None), None)
            later = bool(sides) and first is not None and width[0] == first[0]
            sides.append("" if later and width[1] != first[1] else "train")  # type: ignore[index]
    return sides

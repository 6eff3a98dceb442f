"""What can be audited: an estimator, a function of a whole table, or one that knows the split."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any, NamedTuple, final

import numpy as np
from sklearn import clone

from skscale import _tables as tables
from skscale._kernels import Array
from skscale.errors import MutatedInputError, TargetError
from skscale.leakage import _returned as returned
from skscale.leakage._state import differences

FORMS = (
    "an estimator or Pipeline; a function features(X) or features(X, y) of the whole table; or a "
    "function prepare(X, y, train, test), where train and test are row numbers"
)

_METHODS = ("transform", "decision_function", "predict_proba", "predict")
_SCORES = ("score_samples", "mahalanobis")
"""What an estimator makes of rows: any of it may depend on the batch, beside others that do not.
Scores are asked of held-out rows only, unless there is nothing else."""


HELD_OUT, ALL = BATCHES = ("held-out rows", "all rows")
"""What an estimator is given, in this order: a transform that learns has learned from the held-out
rows when it is given all."""


@dataclass(frozen=True)
class Part:
    """Results of which each row belongs to a row of the table.

    Parameters
    ----------
    name : str
        What made it.
    value : table
        Results.
    rows : integer array or None
        Which row of the table each of its rows is of; None if all are of the training part.
    is_features : bool
        Whether a row must not depend on its own label.
    reading : str
        How it was read, where that had to be guessed.
    batch : str
        Of which batch it was made: one of `BATCHES`, if an estimator was given several.
    """

    name: str
    value: Any
    rows: Array | None
    is_features: bool = False
    reading: str = ""
    batch: str = ""


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
        Why some results could not be matched with rows, if so.
    """

    fixed: dict[str, Any] = field(default_factory=dict)
    parts: list[Part] = field(default_factory=list)
    unmatched: str = ""

    def add(self, later: Observed) -> None:
        """Take in what was made of another batch."""
        self.parts += later.parts
        self.unmatched = self.unmatched or later.unmatched

    def of(self, batches: tuple[str, ...]) -> Observed:
        """What was made of these batches."""
        parts = [part for part in self.parts if not part.batch or part.batch in batches]
        return Observed(self.fixed, parts, self.unmatched)


class Given(NamedTuple):
    """A table, its labels, and the row numbers of a split."""

    X: Any
    y: Any
    train: Array
    test: Array


class Target(ABC):
    """Something that is run on a table with a split, and sees copies only."""

    knows_split = True
    """Whether it is told which rows are held out, and may treat them as a batch."""
    takes_labels = True
    """Whether it is given held-out labels."""

    def learn(self, X: Any, y: Any, train: Array) -> Any:
        """What is learned from the training rows alone, if that is a step of its own."""
        return None

    @abstractmethod
    def apply(self, learned: Any, given: Given, batches: tuple[str, ...] = BATCHES) -> Observed:
        """What is made of rows, given what was learned; `batches` are for who is given several."""


@final
class EstimatorTarget(Target):
    """An estimator: fitted on training rows; then given those held out, and all at once."""

    takes_labels = False

    def __init__(self, estimator: Any, seed: int) -> None:
        self.estimator = clone(estimator, safe=False)
        parameters: dict[str, Any] = getattr(self.estimator, "get_params", dict)()
        # A deprecated random_state that nobody gave leaves what it used to fix to chance.
        unset = [
            name
            for name, value in parameters.items()
            if name.rpartition("__")[2] == "random_state"
            and (value is None or (isinstance(value, str) and value == "deprecated"))
        ]
        if unset:
            self.estimator.set_params(**dict.fromkeys(unset, seed))

    def learn(self, X: Any, y: Any, train: Array) -> Any:
        model, handed = clone(self.estimator, safe=False), _Handed()
        labels = [] if y is None else [handed.give(tables.take_rows(y, train))]
        model.fit(handed.give(tables.take_rows(X, train)), *labels)
        handed.check()
        return model

    def apply(self, learned: Any, given: Given, batches: tuple[str, ...] = BATCHES) -> Observed:
        X, test = given.X, given.test
        seen, handed = Observed({"": learned}), _Handed()
        methods = [name for name in _METHODS if hasattr(learned, name)]
        scores = [name for name in _SCORES if hasattr(learned, name)]
        for batch in batches:
            names = methods + scores if batch == HELD_OUT else methods or scores
            rows = test if batch == HELD_OUT else np.arange(tables.count_rows(X))
            table = tables.take_rows(X, test) if batch == HELD_OUT else X
            for name in names:
                try:
                    made = getattr(learned, name)(handed.give(table))
                except NotImplementedError:  # as good as not being there
                    continue
                for label, value in returned.leaves(made, f"{name}(X)"):
                    if returned.length(value) == len(rows):
                        seen.parts.append(Part(label, value, rows, batch=batch))
                    else:
                        seen.unmatched = returned.unmatched(label, value, len(rows))
        if not (seen.parts or seen.unmatched):
            listed = ", ".join(_METHODS + _SCORES)
            seen.unmatched = f"it is never given held-out rows, since it has none of {listed}"
        handed.check()
        return seen


@final
class FeaturesTarget(Target):
    """A function of the whole table, and perhaps of its labels, that is run before the split."""

    knows_split = False

    def __init__(self, function: Any, takes_labels: bool) -> None:
        self.function = function
        self.takes_labels = takes_labels

    def apply(self, learned: Any, given: Given, batches: tuple[str, ...] = BATCHES) -> Observed:
        X, handed = given.X, _Handed()
        arguments = [handed.give(part) for part in given[: 1 + self.takes_labels]]
        results = self.function(*arguments)
        leaves, n_rows = list(returned.leaves(results, "features")), tables.count_rows(X)
        handed.check()
        seen = Observed()
        for name, value in leaves:
            rows = returned.matched_rows(X, value) if tables.has_rows(value) else None
            if rows is not None:
                first = not any(part.is_features for part in seen.parts)
                is_features = first and returned.width(value) is not None
                seen.parts.append(Part(name, value, rows, is_features))
            elif returned.is_names(value) and len(leaves) > 1:
                seen.fixed[name] = value
            elif tables.has_rows(value) or returned.is_lazy(value):
                seen.unmatched = returned.unmatched(name, value, n_rows)
            else:
                seen.fixed[name] = value
        if not (seen.parts or seen.unmatched):
            wanted = f"a table with one row for each of {n_rows}"
            seen.unmatched = returned.nothing_shown("features", results, wanted)
        return seen


@final
class PrepareTarget(Target):
    """A function that is told the split and returns a training part, and perhaps a held-out one."""

    def __init__(self, function: Any) -> None:
        self.function = function

    def apply(self, learned: Any, given: Given, batches: tuple[str, ...] = BATCHES) -> Observed:
        X, y, train, test = given
        handed = _Handed()
        labels = None if y is None else handed.give(y)
        split = handed.give(train), handed.give(test)
        results = self.function(handed.give(X), labels, *split)
        leaves = list(returned.leaves(results, "prepare"))
        handed.check()
        n_rows = tables.count_rows(X)
        sides = returned.sides(leaves, len(train), len(test), n_rows)
        seen = Observed()
        rows = {"train": None, "test": test, "all": np.arange(n_rows)}
        for (name, value), side in zip(leaves, sides, strict=True):
            if not side or (tables.has_rows(value) and returned.length(value) == 0):
                seen.unmatched = returned.unmatched_part(name, value, len(train), len(test))
            elif tables.has_rows(value):
                first = not any(part.is_features for part in seen.parts)
                is_features = side != "train" and first and returned.width(value) is not None
                reading = returned.reading(name, side)
                seen.parts.append(Part(name, value, rows[side], is_features, reading))
            elif side == "train" and not returned.is_number(results):
                seen.fixed[name] = value
        is_fitted = any(hasattr(value, "fit") for value in seen.fixed.values())
        if not (seen.parts or is_fitted or seen.unmatched):
            wanted = "its training part, or a dict with the keys 'train' and 'test'"
            seen.unmatched = returned.nothing_shown("prepare", results, wanted)
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

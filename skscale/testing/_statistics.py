"""The laws of a statistic."""

from __future__ import annotations

import copy
import functools
import itertools
import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np

from skscale._kernels import Array
from skscale._reduce import tree_reduce
from skscale.statistics import Extrema, Moments
from skscale.testing._comparing import (
    EPSILON,
    arrays,
    assert_read_only,
    assert_same_bits,
    raises,
)
from skscale.testing._differences import difference as known_difference
from skscale.testing._differences import field_names
from skscale.testing._laws import Law, collector, enforce, shorten
from skscale.testing._samples import replaced, table

_laws: dict[str, Law] = {}
law = collector(_laws)

STATISTIC_LAWS: Mapping[str, Law] = MappingProxyType(_laws)
"""Laws of a statistic by name."""


def check_statistic(
    statistic_type: type,
    *,
    of: Callable[..., Any] | None = None,
    batched: bool = False,
    difference: Callable[[Any, Any], float] | None = None,
    rows: Any = None,
    weights: Any = None,
    cuts: Sequence[Sequence[int]] | None = None,
    tolerance: float = 64,
    laws: Sequence[str] | None = None,
) -> None:
    """Check the laws of a statistic.

    Parameters
    ----------
    statistic_type : type
        Class with a class method ``of(rows, weights=None)``, a method ``merge(later)`` and the
        attributes `total` and `n_features`.
    of : callable, default=None
        Called as ``of(rows, weights)``. None is ``statistic_type.of``.
    batched : bool, default=False
        Whether one call of `of` is one mini-batch, so that the statistic depends on where the
        rows are cut. The law of the cuts is then left out.
    difference : callable, default=None
        ``difference(a, b)`` is the distance of two statistics relative to what they measure, 0
        if they are the same. None knows the statistics of this package, and compares those of
        others field by field, relative to the largest entry of a field; a field ``x_low`` is
        added to the field ``x``.
    rows : array of shape (n_rows, n_features), default=None
        Finite floats to try the laws on. None is a table of ours.
    weights : integer array of shape (n_rows,), default=None
        Weights of the rows, some of them 0. None draws them.
    cuts : sequence of sequences of int, default=None
        Each gives ascending positions to cut the rows at; one that is repeated makes an empty
        block. None takes several.
    tolerance : float, default=64
        Allowed difference, in units of the spacing of floats at 1 (2.2e-16).
    laws : sequence of str, default=None
        Names from `STATISTIC_LAWS`. None is all of them.

    Raises
    ------
    AssertionError
        For the first law that is broken, with what was found.

    Examples
    --------
    >>> from skscale.statistics import Moments
    >>> from skscale.testing import check_statistic
    >>> check_statistic(Moments)

    A statistic that adds up batch means:

    >>> from dataclasses import dataclass
    >>> import numpy as np
    >>> @dataclass(frozen=True)
    ... class Means:
    ...     total: int
    ...     mean: np.ndarray
    ...
    ...     @classmethod
    ...     def of(cls, rows, weights=None):
    ...         return cls(len(rows), np.average(rows, axis=0, weights=weights))
    ...
    ...     def merge(self, later):
    ...         return Means(self.total + later.total, (self.mean + later.mean) / 2)
    >>> check_statistic(Means, laws=["any cut gives the same"], cuts=[[10]])
    Traceback (most recent call last):
    AssertionError: Means breaks the law 'any cut gives the same': ...
    """
    drawn = np.random.default_rng(20231)
    rows = table(60, 3) if rows is None else np.asarray(rows)
    n_rows = len(rows)
    if weights is None:
        weights = drawn.integers(0, 4, n_rows)
        weights[0] = 2
    if cuts is None:
        third = max(1, n_rows // 3)
        cuts = [[0], [n_rows], [1], [third, third, 2 * third], range(1, n_rows)]
    trial = Trial(
        statistic_type,
        statistic_type.of if of is None else of,  # type: ignore[attr-defined]
        batched,
        known_difference if difference is None else difference,
        rows,
        np.asarray(weights),
        [list(cut) for cut in cuts],
        tolerance,
    )
    enforce(statistic_type.__name__, _laws, laws, trial)


@dataclass(frozen=True)
class Trial:
    kind: type
    of: Callable[..., Any]
    batched: bool
    difference: Callable[[Any, Any], float]
    rows: Array
    weights: Array
    cuts: list[list[int]]
    tolerance: float

    def close(self, actual: Any, expected: Any, what: str) -> None:
        difference = self.difference(actual, expected) / EPSILON
        assert difference <= self.tolerance, (
            f"{what}: a difference of {difference:.3g} times the rounding unit, where "
            f"{self.tolerance:g} are allowed; {show(actual)} against {show(expected)}"
        )


@law("any cut gives the same")
def _(trial: Trial) -> None:
    whole = trial.of(trial.rows, None)
    weighted = trial.of(trial.rows, trial.weights)
    assert whole.total == len(trial.rows), f"total {whole.total} for {len(trial.rows)} rows"
    if trial.batched:
        return

    def merge(earlier: Any, later: Any) -> Any:
        return earlier.merge(later)

    for positions in trial.cuts:
        bounds = [0, *positions, len(trial.rows)]
        where = [slice(*pair) for pair in itertools.pairwise(bounds)]
        parts = [trial.of(trial.rows[block], None) for block in where]
        at = f"cut at {shorten(positions)}"
        trial.close(functools.reduce(merge, parts), whole, f"{at} and merged one by one")
        trial.close(tree_reduce(parts, merge), whole, f"{at} and merged as a tree")
        parts = [trial.of(trial.rows[block], trial.weights[block]) for block in where]
        trial.close(tree_reduce(parts, merge), weighted, f"{at} with weights")


@law("a statistic of no rows changes nothing")
def _(trial: Trial) -> None:
    whole, nothing = trial.of(trial.rows, None), trial.of(trial.rows[:0], None)
    assert nothing.total == 0, f"total {nothing.total} for no rows"
    assert_same_bits(whole.merge(nothing), whole, "merged with no rows after it")
    assert_same_bits(nothing.merge(whole), whole, "merged with no rows before it")
    assert_same_bits(nothing.merge(nothing), nothing, "no rows merged with no rows")


@law("merging is associative")
def _(trial: Trial) -> None:
    third = max(1, len(trial.rows) // 3)
    for first, second in ((third, 2 * third), (1, 2), (1, len(trial.rows) - 1)):
        a, b, c = (
            trial.of(trial.rows[block], None)
            for block in (slice(first), slice(first, second), slice(second, None))
        )
        trial.close(
            a.merge(b).merge(c), a.merge(b.merge(c)), f"blocks from 0, {first} and {second}"
        )


@law("an integer weight is a repetition, and 0 an absence")
def _(trial: Trial) -> None:
    rows, weights = trial.rows, trial.weights
    repeated = np.repeat(rows, weights, axis=0)
    weighted = trial.of(rows, weights)
    assert weighted.total == weights.sum(), f"total {weighted.total} for {weights.sum()}"
    trial.close(weighted, trial.of(repeated, None), "weighted against repeated rows")
    trial.close(trial.of(rows, np.ones(len(rows))), trial.of(rows, None), "weights of 1")
    there = weights > 0
    assert_same_bits(
        weighted, trial.of(rows[there], weights[there]), "rows of weight 0 against rows left out"
    )
    nothing = trial.of(rows, np.zeros(len(rows)))
    assert nothing.total == 0, f"total {nothing.total} for weights that are all 0"
    assert_same_bits(nothing.merge(weighted), weighted, "merged after rows of weight 0")


@law("copies are equal to the bit, and read-only")
def _(trial: Trial) -> None:
    whole = trial.of(trial.rows, trial.weights)
    for how, duplicate in (
        ("pickle", pickle.loads(pickle.dumps(whole))),
        ("copy", copy.copy(whole)),
        ("deepcopy", copy.deepcopy(whole)),
        *_travelled(whole),
    ):
        assert_same_bits(duplicate, whole, how)
        assert_read_only(duplicate, how)
        trial.close(duplicate.merge(whole), whole.merge(whole), f"merged after {how}")


def _travelled(statistic: Any) -> Iterator[tuple[str, Any]]:
    """What comes back from bytes, of a kind that has them."""
    if hasattr(statistic, "to_bytes"):
        data = statistic.to_bytes()
        again = type(statistic).from_bytes(data)
        assert again.to_bytes() == data, "what comes back from bytes is written in other bytes"
        yield "to_bytes and from_bytes", again


@law("a statistic never changes")
def _(trial: Trial) -> None:
    a, b = trial.of(trial.rows, None), trial.of(trial.rows, trial.weights)
    before = copy.deepcopy((a, b))
    assert_read_only(a, "of")
    assert_read_only(a.merge(b), "merge")
    for name in field_names(a):
        try:
            setattr(a, name, getattr(a, name))
        except AttributeError:
            continue
        raise AssertionError(f"the field {name!r} can be assigned to")
    assert_same_bits((a, b), before, "both sides of a merge, before and after it")


@law("rows are neither written to nor kept")
def _(trial: Trial) -> None:
    for n_rows in sorted({1, 2, len(trial.rows)}):
        rows, weights = trial.rows[:n_rows].copy(), np.maximum(trial.weights[:n_rows], 1.0)
        given, given_weights = rows.copy(), weights.copy()
        whole = trial.of(rows, weights)
        assert_same_bits(rows, given, "the rows, before and after")
        assert_same_bits(weights, given_weights, "the weights, before and after")
        for held in arrays(whole):
            shared = np.shares_memory(held, rows) or np.shares_memory(held, weights)
            assert not shared, f"a statistic of {n_rows} rows holds on to them"
        rows.flags.writeable = weights.flags.writeable = False
        trial.of(rows, weights)
    few, many = (len(pickle.dumps(trial.of(table(n, 3), None))) for n in (50, 1000))
    assert many < few + 500, f"{few} bytes for 50 rows, {many} for 1000"


@law("memory order and dtype do not matter")
def _(trial: Trial) -> None:
    rows = trial.rows
    whole = trial.of(rows, None)
    spaced = np.repeat(np.repeat(rows, 2, axis=0), 2, axis=1)
    for layout, same in (
        ("Fortran order", np.asfortranarray(rows)),
        ("strides", spaced[::2, ::2]),
        ("negative strides", rows[::-1, ::-1].copy()[::-1, ::-1]),
    ):
        trial.close(trial.of(same, None), whole, layout)
        trial.close(trial.of(same, trial.weights), trial.of(rows, trial.weights), layout)
    for dtype in (np.float32, np.int64, np.int8, np.uint16, np.float16, ">f8"):
        small = np.abs(table(40, 3)).astype(np.int64).clip(0, 100).astype(dtype)
        trial.close(
            trial.of(small, None), trial.of(small.astype(np.float64), None), np.dtype(dtype).name
        )


@law("strangers are refused")
def _(trial: Trial) -> None:
    whole = trial.of(trial.rows, None)
    wider = trial.of(np.column_stack([trial.rows, trial.rows[:, 0]]), None)
    assert wider.n_features == whole.n_features + 1, "n_features is not the number of columns"
    other = Moments if trial.kind is not Moments else Extrema
    for what, stranger in (
        ("more columns", wider),
        ("another kind", other.of(trial.rows)),
        ("no statistic", None),
    ):
        with raises(f"merge with {what}", ValueError, TypeError):
            whole.merge(stranger)
    with raises("an infinity", ValueError):
        trial.of(replaced(trial.rows, (-1, 0), np.inf), None)
    for what, weights in (
        ("negative weights", -np.ones(len(trial.rows))),
        ("a weight of NaN", np.full(len(trial.rows), np.nan)),
        ("too few weights", np.ones(len(trial.rows) - 1)),
    ):
        with raises(what, ValueError):
            trial.of(trial.rows, weights)


@law("a missing value is refused or left out")
def _(trial: Trial) -> None:
    for gone in ([0], [-1], range(1, len(trial.rows), 3)):
        holes = replaced(trial.rows, (list(gone), 0), np.nan)
        try:
            trial.of(holes, None)
        except ValueError:
            continue
        # A column by itself: the others have more rows. The total counts the missing ones too.
        for column in range(trial.rows.shape[1]):
            alone = holes[:, [column]]
            expected = trial.of(alone[~np.isnan(alone[:, 0])], None)
            found = trial.of(alone, None)
            assert found.total == len(alone), f"total {found.total} for {len(alone)} rows"
            trial.close(_with_total(found, expected.total), expected, f"column {column}, with NaN")


def _with_total(statistic: Any, total: float) -> Any:
    """The same statistic with another `total`, which may be that of one inside it."""
    for name in field_names(statistic):
        value = getattr(statistic, name)
        if name == "total":
            return replace(statistic, total=total)
        if hasattr(value, "merge"):
            return replace(statistic, **{name: _with_total(value, total)})
    return statistic


def show(statistic: Any) -> str:
    parts = [f"{name}={getattr(statistic, name)!r}" for name in field_names(statistic)]
    text = " ".join(f"{type(statistic).__name__}({', '.join(parts)})".split())
    return text if len(text) <= 400 else f"{text[:400]}..."

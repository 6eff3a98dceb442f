"""Does it learn from training rows only? Held-out rows are changed, and nothing else may move."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from skscale import _tables as tables
from skscale._blas import single_threaded_blas
from skscale._kernels import Array
from skscale._parameters import check_parameter, integer, none, one_of
from skscale.errors import MutatedInputError, TargetError
from skscale.leakage._folds import Fold, read_folds
from skscale.leakage._probes import Change, Material, Probe, probes
from skscale.leakage._report import CLEAN, INCONCLUSIVE, LEAKY, NOT_RUN, AuditReport, Outcome
from skscale.leakage._state import Difference, differences
from skscale.leakage._targets import EstimatorTarget, Observed, Target, read_target

ROUNDING = 16
"""A movement of so many units in the last place, or fewer, has to be seen under tame values too."""


def audit(
    target: Any,
    X: Any,
    y: Any = None,
    *,
    cv: Any = 5,
    order: str | None = None,
    max_rows: int | None = 2000,
    groups: Any = None,
    random_state: int = 0,
) -> AuditReport:
    random = np.random.default_rng(random_state)
    check_parameter("audit", "order", one_of("time") | none, order)
    check_parameter("audit", "max_rows", integer(at_least=4) | none, max_rows)
    _check_lengths(X, y, groups)
    form = read_target(target, y, random_state)
    X, y, folds = read_folds(
        X,
        y,
        cv=cv,
        order=order,
        max_rows=max_rows,
        groups=groups,
        estimator=target,
        random=random,
    )
    material = Material(X, y, random)
    # Bits of a matrix product depend on the number of threads.
    with warnings.catch_warnings(), np.errstate(all="ignore"), single_threaded_blas:
        warnings.simplefilter("ignore")
        outcomes = [each for fold in folds for each in _FoldAudit(form, material, fold).outcomes()]
    return AuditReport(_name_of(target), outcomes, tables.count_rows(X))


def assert_train_only(
    target: Any,
    X: Any,
    y: Any = None,
    *,
    cv: Any = 5,
    order: str | None = None,
    max_rows: int | None = 2000,
    groups: Any = None,
    random_state: int = 0,
) -> None:
    report = audit(
        target,
        X,
        y,
        cv=cv,
        order=order,
        max_rows=max_rows,
        groups=groups,
        random_state=random_state,
    )
    report.raise_if_leaky() if report.status == LEAKY else None
    if not report.ok:
        raise AssertionError(report.message())


class _FoldAudit:
    """One target on one fold: as it is, and under every probe."""

    def __init__(self, target: Target, material: Material, fold: Fold) -> None:
        self._target = target
        self._material = material
        self._fold = fold

    def outcomes(self) -> Iterator[Outcome]:
        fold, material = self._fold, self._material
        plain = self._run_plain()
        everything = np.ones(fold.n_rows, dtype=bool)
        moved = _moved(plain, self._run(material.X, material.y), everything, everything)
        if moved:
            yield self._outcome("as it is", INCONCLUSIVE, moved)
            return
        table = material.holed(fold)
        holed: Observed | str = "no column can hold missing values"
        if table is not None:
            try:
                holed = self._run(table, material.y)
            except MutatedInputError:
                raise
            except Exception as error:
                holed = f"it does not take missing values: {_told(error)}"
        for probe in probes(material, fold, table, self._target.knows_split):
            before = holed if probe.holed else plain
            base = table if probe.holed else material.X
            if isinstance(before, str):
                yield self._skipped(probe, before)
            elif before.unmatched:
                yield self._skipped(probe, before.unmatched)
            else:
                yield self._ask(probe, before, base)

    def _ask(self, probe: Probe, before: Observed, base: Any) -> Outcome:
        """The outcome of one probe; a movement counts if the target still is what it was."""
        why = probe.excuse
        for change in probe.changes:
            changed = self._make(change, base)
            if changed is None:
                continue
            try:
                after = self._run(*changed)
            except MutatedInputError:
                raise
            except Exception as error:
                why = f"refused: {_told(error)}"
                continue
            if after.unmatched:
                why = after.unmatched
                continue
            moved = self._accused(probe, before, after, base, changed)
            if not moved:
                return self._outcome(probe.name, CLEAN, [], probe.about_rows)
            again = self._run(base, self._material.y)
            everything = np.ones(self._fold.n_rows, dtype=bool)
            unstable = _moved(before, again, everything, everything)
            if unstable:
                return self._outcome(probe.name, INCONCLUSIVE, unstable, probe.about_rows)
            return self._outcome(probe.name, LEAKY, moved, probe.about_rows)
        return self._skipped(probe, why)

    def _make(self, change: Change, base: Any) -> tuple[Any, Any] | None:
        """A changed table and labels; None if nothing is different."""
        changed = change()
        if changed is None:
            return None
        X, y = changed
        rows_differ = X is not base and bool(differences(base, X))
        return changed if rows_differ or differences(self._material.y, y) else None

    def _accused(
        self, probe: Probe, before: Observed, after: Observed, base: Any, changed: tuple[Any, Any]
    ) -> list[Difference]:
        """What moved and should not have, after a second look at what may be innocent."""
        moved = _moved(before, after, probe.still, probe.features_still)
        target, train = self._target, self._fold.train
        if moved and isinstance(target, EstimatorTarget) and not _moved_parts(before, after, probe):
            # Kept by transform, and nothing that it makes depends on it: only a fit may be accused.
            first = target.fit(base, self._material.y, train)
            moved = _moved(first, target.fit(*changed, train), probe.still, probe.features_still)
        if moved and probe.tame is not None and max(each.ulp for each in moved) <= ROUNDING:
            tame = self._make(probe.tame, base)
            if tame is not None:
                calm = self._run(*tame)
                moved = _moved(before, calm, probe.still, probe.features_still) and moved
        return moved

    def _run_plain(self) -> Observed:
        try:
            return self._run(self._material.X, self._material.y)
        except MutatedInputError:
            raise
        except Exception as error:
            raise TargetError(
                f"The target cannot be run on the table as it was given (fold {self._fold.number}, "
                f"{len(self._fold.train)} training rows): {_told(error)}. An audit changes rows "
                "of a table that the target takes; call it on these rows yourself first."
            ) from error

    def _run(self, X: Any, y: Any) -> Observed:
        return self._target.run(X, y, self._fold.train, self._fold.test)

    def _outcome(
        self, probe: str, outcome: str, moved: list[Difference], about_rows: bool = False
    ) -> Outcome:
        where = moved[0].where if moved else ""
        ulp = max((each.ulp for each in moved if each.where == where), default=0.0)
        return Outcome(self._fold.number, probe, outcome, where, ulp, about_rows)

    def _skipped(self, probe: Probe, why: str) -> Outcome:
        return Outcome(self._fold.number, probe.name, NOT_RUN, why)


def _moved(
    before: Observed, after: Observed, still: Array, features_still: Array
) -> list[Difference]:
    """Differences of what was learned, and of the results for rows that must stand still."""
    moved = differences(before.fixed, after.fixed)
    for mine, other in zip(before.parts, after.parts, strict=True):
        watched = features_still if mine.is_features else still
        places, other_places = (np.flatnonzero(watched[part.rows]) for part in (mine, other))
        if not np.array_equal(mine.rows[places], other.rows[other_places]):
            moved.append(Difference(f"{mine.name}: which rows there are", np.inf))
            continue
        kept = tables.take_rows(mine.value, places), tables.take_rows(other.value, other_places)
        moved += _by_column(differences(*kept, mine.name), *kept, mine.name)
    return moved


def _moved_parts(before: Observed, after: Observed, probe: Probe) -> list[Difference]:
    results = Observed({}, before.parts), Observed({}, after.parts)
    return _moved(*results, probe.still, probe.features_still)


def _by_column(moved: list[Difference], mine: Any, other: Any, name: str) -> list[Difference]:
    """The same differences of arrays, column by column."""
    alike = isinstance(mine, np.ndarray) and mine.ndim == 2 and mine.shape == other.shape
    if not moved or not alike or mine.dtype != other.dtype:
        return moved
    columns = range(mine.shape[1])
    return [
        each
        for j in columns
        for each in differences(mine[:, j].copy(), other[:, j].copy(), f"{name}[:, {j}]")
    ]


def _check_lengths(X: Any, y: Any, groups: Any) -> None:
    if not tables.has_rows(X):
        raise TypeError(
            f"X is a {type(X).__name__}; it must be an array, a frame, a series, a sparse matrix or "
            "a list of rows, in memory."
        )
    for name, rows in (("y", y), ("groups", groups)):
        if rows is not None and len(rows) != tables.count_rows(X):
            raise ValueError(
                f"{name} has {len(rows)} entries and X has {tables.count_rows(X)} rows; they must "
                "be as many."
            )


def _told(error: Exception) -> str:
    said = " ".join(str(error).split())
    return f"{type(error).__name__}: {said[:200]}"


def _name_of(target: Any) -> str:
    return getattr(target, "__name__", None) or type(target).__name__

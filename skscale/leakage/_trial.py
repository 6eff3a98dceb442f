"""One target on one fold: run as it is, and under every probe, and what moved."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from skscale.errors import MutatedInputError, TargetError
from skscale.leakage._folds import Fold
from skscale.leakage._probes import MISSING, Change, Material, Probe, probes
from skscale.leakage._report import CLEAN, INCONCLUSIVE, LEAKY, NOT_RUN, Outcome
from skscale.leakage._results import batch_matters, moved_results
from skscale.leakage._state import Difference, differ, differences
from skscale.leakage._targets import ALL, BATCHES, HELD_OUT, Given, Observed, Target

ROUNDING = 16
"""A movement of floats by so many units in the last place, or fewer, has to be seen under tame
values too. Integers, flags and words are not rounded."""


@dataclass(frozen=True)
class _Run:
    """A table as it was given to a target, and what came of it."""

    X: Any
    y: Any
    learned: Any
    seen: Observed


@dataclass
class Known:
    """What earlier folds found the target to refuse, which is not asked for again.

    Parameters
    ----------
    refusals : list of str
        Of missing values, if so.
    first : dict of int
        The first change that was taken, for each probe.
    """

    refusals: list[str] = field(default_factory=list)
    first: dict[str, int] = field(default_factory=dict)


class FoldAudit:
    """One target on one fold: as it is, and under every probe.

    An estimator is fitted twice as it is, and given changed held-out rows after that: its fits see
    none of them. Whatever moves then is looked at again with fits of its own, so that what one
    transform left behind is not laid at the door of another.
    """

    def __init__(self, target: Target, material: Material, fold: Fold, known: Known) -> None:
        self._target = target
        self._material = material
        self._fold = fold
        self._known = known
        everything = np.ones(fold.n_rows, dtype=bool)
        self._as_it_is = Probe("as it is", [], everything, everything)

    def outcomes(self) -> list[Outcome]:
        """What each probe came to."""
        plain = self._run_plain(HELD_OUT)
        again = self._run(plain.X, plain.y, batches=(HELD_OUT,))
        is_fitted = plain.learned is not None
        as_it_is = self._as_it_is
        moved = _moved(plain.seen, again.seen, as_it_is, what_was_learned=not is_fitted)
        if moved:
            return [self._outcome(as_it_is.name, INCONCLUSIVE, moved)]
        if is_fitted:
            plain.seen.add(self._run_plain(ALL, plain.learned).seen)
        holed = self._run_holed()
        asked = list(
            probes(
                self._material,
                self._fold,
                None if isinstance(holed, str) else holed.X,
                self._target.knows_split,
                is_fitted,
            )
        )
        outcomes = [self._ask(probe, plain, holed) for probe in asked]
        if is_fitted and differ(again.learned, plain.learned):
            once, twice = (self._run(plain.X, plain.y, batches=(HELD_OUT,)) for _ in range(2))
            moved = _moved(once.seen, twice.seen, as_it_is)
            if moved:
                return [self._outcome(as_it_is.name, INCONCLUSIVE, moved)]
            # Transforms leave something behind: to each its own fit.
            outcomes = [self._ask(probe, plain, holed, apart=True) for probe in asked]
        if is_fitted and all(each.outcome != LEAKY for each in outcomes):
            outcomes.append(self._alone_and_together(plain))
        return outcomes

    def _alone_and_together(self, plain: _Run) -> Outcome:
        name = "alone and among all"
        if self._fold.in_time:
            return Outcome(self._fold.number, name, NOT_RUN, "rows may look back in a batch")
        found = batch_matters(plain.seen)
        return self._outcome(name, LEAKY if found else CLEAN, found)

    def _ask(self, probe: Probe, plain: _Run, holed: _Run | str, apart: bool = False) -> Outcome:
        """The outcome of one probe: of the harshest change that the target takes."""
        before = holed if probe.holed else plain
        why = self._reason_not_to(probe, before, holed)
        if why or isinstance(before, str):
            return self._skipped(probe, why)
        first = self._known.first.get(probe.name, 0)
        for number, change in enumerate(probe.changes[first:], first):
            changed = self._make(change, before)
            if changed is None:
                continue
            try:
                batches = BATCHES if apart else probe.batches
                after = self._run(*changed, None if apart else before.learned, batches)
                if apart or _moved(before.seen.of(batches), after.seen, probe):
                    found = self._look_again(probe, before, changed)
                else:
                    found = self._outcome(probe.name, CLEAN, [], probe.about_rows)
                self._known.first[probe.name] = number
                unmatched = before.seen.unmatched or after.seen.unmatched
                if found.outcome != CLEAN or not unmatched:
                    return found
                why = unmatched
            except MutatedInputError:
                raise
            except Exception as error:
                why = f"refused: {_told(error)}"
        return self._skipped(probe, why or probe.excuse)

    def _reason_not_to(self, probe: Probe, before: _Run | str, holed: _Run | str) -> str:
        if isinstance(before, str):
            return before
        if not (before.seen.parts or before.seen.fixed):
            return before.seen.unmatched
        if not probe.about_rows and not self._target.takes_labels:
            return "it is never given held-out labels"
        if probe.name == MISSING and before.learned is not None and isinstance(holed, str):
            return holed
        return ""

    def _look_again(self, probe: Probe, before: _Run, changed: tuple[Any, Any]) -> Outcome:
        """A movement counts if the target is not restless, and if it is not innocent."""
        first, second = self._run(before.X, before.y), self._run(before.X, before.y)
        restless = _moved(first.seen, second.seen, self._as_it_is)
        if restless:
            return self._outcome(probe.name, INCONCLUSIVE, restless, probe.about_rows)
        after = self._run(*changed)
        moved = _moved(first.seen, after.seen, probe)
        if moved and after.learned is not None and not _moved(first.seen, after.seen, probe, False):
            # Kept by transform, and nothing it makes depends on it: only fits may be accused.
            fits = (self._learn(X, y) for X, y in ((before.X, before.y), changed))
            moved = differences(*fits)
        may_be_rounding = all(each.is_float and each.ulp <= ROUNDING for each in moved)
        if moved and probe.tame is not None and may_be_rounding:
            tame = self._make(probe.tame, before)
            if tame is not None and not _moved(first.seen, self._run(*tame).seen, probe):
                moved = []
        if moved and not differences(first.seen.fixed, after.seen.fixed):
            moved = self._in_steps(probe, first, after) or moved
        return self._outcome(probe.name, LEAKY if moved else CLEAN, moved, probe.about_rows)

    def _in_steps(self, probe: Probe, before: _Run, after: _Run) -> list[Difference]:
        """What moved after the first step of a pipeline that moved anything."""
        steps = getattr(before.learned, "steps", [])
        for stop in range(1, len(steps)):
            mine, other = (self._run(run.X, run.y, run.learned[:stop]) for run in (before, after))
            moved = _moved(mine.seen, other.seen, probe, what_was_learned=False)
            if moved:
                name = steps[stop - 1][0]
                return [replace(each, where=f"{name}.{each.where}") for each in moved]
        return []

    def _make(self, change: Change, before: _Run) -> tuple[Any, Any] | None:
        """A changed table and labels; None if nothing is different."""
        changed = change()
        if changed is None:
            return None
        X, y = changed
        return changed if differ(before.X, X) or differ(before.y, y) else None

    def _run_plain(self, batch: str, learned: Any = None) -> _Run:
        try:
            return self._run(self._material.X, self._material.y, learned, (batch,))
        except MutatedInputError:
            raise
        except Exception as error:
            raise TargetError(
                f"The target cannot be run on the table as it was given (fold {self._fold.number}, "
                f"{len(self._fold.train)} training rows): {_told(error)}. An audit changes rows "
                "of a table that the target takes; call it on these rows yourself first"
                f"{', and pass y if it needs labels' if self._material.y is None else ''}."
            ) from error

    def _run_holed(self) -> _Run | str:
        """A run with missing values among the kept rows, or why there is none."""
        if self._known.refusals:
            return self._known.refusals[0]
        table = self._material.holed(self._fold)
        if table is None:
            return "no column can hold missing values"
        try:
            return self._run(table, self._material.y)
        except MutatedInputError:
            raise
        except Exception as error:
            self._known.refusals.append(f"it does not take missing values: {_told(error)}")
            return self._known.refusals[0]

    def _run(self, X: Any, y: Any, learned: Any = None, batches: tuple[str, ...] = BATCHES) -> _Run:
        learned = self._learn(X, y) if learned is None else learned
        given = Given(X, y, self._fold.train, self._fold.test)
        seen = self._target.apply(learned, given, batches)
        return _Run(X, y, learned, seen)

    def _learn(self, X: Any, y: Any) -> Any:
        return self._target.learn(X, y, self._fold.train)

    def _outcome(
        self, probe: str, outcome: str, moved: list[Difference], about_rows: bool = False
    ) -> Outcome:
        where = moved[0].where if moved else ""
        ulp = max((each.ulp for each in moved if each.where == where), default=0.0)
        return Outcome(self._fold.number, probe, outcome, where, ulp, about_rows)

    def _skipped(self, probe: Probe, why: str) -> Outcome:
        return Outcome(self._fold.number, probe.name, NOT_RUN, why)


def _moved(
    before: Observed, after: Observed, probe: Probe, what_was_learned: bool = True
) -> list[Difference]:
    """Differences where a probe must not make any."""
    learned = differences(before.fixed, after.fixed) if what_was_learned else []
    return learned + moved_results(before, after, probe.still, probe.features_still)


def _told(error: Exception) -> str:
    said = " ".join(str(error).split())
    return f"{type(error).__name__}: {said[:200].rstrip('.')}"

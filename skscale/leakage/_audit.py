"""Does it learn from training rows only? Held-out rows are changed, and nothing else may move."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from skscale import _tables as tables
from skscale._blas import single_threaded_blas
from skscale._parameters import check_parameter, integer, none, one_of
from skscale.errors import LeakageError, MutatedInputError, TargetError
from skscale.leakage._folds import Fold, read_folds
from skscale.leakage._probes import MISSING, Change, Material, Probe, probes
from skscale.leakage._report import CLEAN, INCONCLUSIVE, LEAKY, NOT_RUN, AuditReport, Outcome
from skscale.leakage._results import batch_matters, moved_results
from skscale.leakage._state import Difference, differ, differences
from skscale.leakage._targets import ALL, BATCHES, HELD_OUT, Observed, Target, read_target

ROUNDING = 16
"""A movement of floats by so many units in the last place, or fewer, has to be seen under tame
values too. Integers, flags and words are not rounded."""


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
    """Look for anything that is learned from rows that are held out.

    Held-out rows are replaced, and training rows held still. Then nothing that was learned, and
    nothing that was made of training rows, may move by a single bit.

    Parameters
    ----------
    target : estimator or callable
        An estimator or Pipeline, fitted or not: clones of it are fitted on training rows. Or a
        function ``features(X)`` or ``features(X, y)`` that is run on the whole table before it is
        split. Or a function ``prepare(X, y, train, test)`` that is told the split, and returns its
        training part, or a tuple or dict of parts of which some are made of held-out rows: told
        by their names, their numbers of rows, or the order of `train_test_split`.
    X : table of shape (n_rows, n_columns)
        An array, a pandas or polars frame, a series, a sparse matrix or a list of rows that the
        target takes. It is never changed; the target is handed copies.
    y : array-like of shape (n_rows,) or (n_rows, n_outputs), default=None
        Labels, where the target takes them.
    cv : int, splitter or iterable of (train, test), default=5
        Splits. A number stands for so many folds of shuffled rows, stratified for classes; of
        whole groups, if there are groups; or for `TimeSeriesSplit`, where there is time.
    order : {"time"} or None, default=None
        With "time", rows are in its order: all from the first test row on are held out, earlier
        ones must not depend on later ones, and lags are allowed.
    max_rows : int or None, default=2000
        Rows to look at, at most: whole groups, in the proportions of classes, or the first ones
        where there is time. None for all.
    groups : array-like of shape (n_rows,), default=None
        Rows of one group are never split, by splitters that know groups.
    random_state : int, default=0
        Seed of the audit. Also given to every `random_state` of an estimator that is None.

    Returns
    -------
    report : AuditReport
        True if, and only if, its `status` is "clean". See there for `findings` and `to_frame`.

    Raises
    ------
    TargetError
        If the target is none of these, or fails on the table as it is.
    MutatedInputError
        If the target writes into what it is given.
    SplitError
        If `cv` gives no splits, or impossible ones.
    InvalidParameterError
        If `order` or `max_rows` is none of the above.
    ValueError
        If `y` or `groups` has not as many entries as `X` has rows.

    Notes
    -----
    *Probes.* Held-out rows are replaced by extreme values (1e300, or tamer ones where the target
    refuses these; unseen texts, other categories), by training rows, and by missing values. "Beside
    gaps", values are missing before and after, which brings out imputers. Labels of held-out rows
    are permuted, and replaced by others; they may not reach the features of their own rows either.
    "Half of the batch" changes half of the test rows while results of the other half must stand
    still. With time, "later rows" are changed instead: all from the middle of the test rows on.

    *Outcomes.* "clean": nothing moved. "leaky": something did, and the target is what it was when
    run once more as it is. "inconclusive": the target differs from itself. "not run": the target
    refuses such rows, or its results cannot be matched with rows. Neither of these is a pass.

    *No tolerance.* A movement of floats by 16 ulp or fewer under extreme values must show under
    training rows too; any other counts. What a transform keeps, and nothing depends on, does not.

    *What cannot be seen.* A function that ignores its argument and uses a table of its own; what
    was learned before, by a fitted object inside a function; a cache that answers for a changed
    table; a dependence that no probe happens to move, such as that on a mode that stays the same.
    "Clean" says no more than: no dependence observed under these probes.

    *Cost.* An estimator is fitted twice for each fold, and a third time if it takes missing values;
    a function is called 5 to 9 times. Rows and results are copied and compared in between.

    References
    ----------
    .. [1] S. Kaufman, S. Rosset, C. Perlich, O. Stitelman (2012). Leakage in data mining:
       formulation, detection, and avoidance. ACM Transactions on Knowledge Discovery from Data 6.
    .. [2] S. Kapoor, A. Narayanan (2023). Leakage and the reproducibility crisis in
       machine-learning-based science. Patterns 4(9).

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import FunctionTransformer, scale
    >>> from skscale import PCA, StandardScaler
    >>> from skscale.leakage import audit
    >>> rows = np.random.default_rng(0).normal(size=(100, 3))
    >>> audit(make_pipeline(StandardScaler(), PCA(2)), rows).status
    'clean'

    Scaled before the split:

    >>> report = audit(scale, rows)
    >>> report.status, report.findings[0].where
    ('leaky', 'features[:, 0]')

    Scaled by the statistics of whatever batch comes along, and where:

    >>> report = audit(make_pipeline(FunctionTransformer(scale), PCA(2)), rows)
    >>> report.findings[0].where
    'functiontransformer.transform(X)[:, 0]'

    Lags are leaks between shuffled rows, and are none in time:

    >>> def lag(X):
    ...     return np.vstack([np.zeros((1, 3)), X[:-1]])
    >>> audit(lag, rows).status, audit(lag, rows, order="time").status
    ('leaky', 'clean')

    A target that differs from itself shows nothing:

    >>> random = np.random.default_rng(0)
    >>> audit(lambda X: X + random.normal(size=X.shape), rows).status
    'inconclusive'
    """
    check_parameter("audit", "order", one_of("time") | none, order)
    check_parameter("audit", "random_state", integer(at_least=0), random_state)
    check_parameter("audit", "max_rows", integer(at_least=4) | none, max_rows)
    _check_lengths(X, y, groups)
    random = np.random.default_rng(random_state)
    # Bits of a matrix product depend on the number of threads.
    with warnings.catch_warnings(), np.errstate(all="ignore"), single_threaded_blas:
        warnings.simplefilter("ignore")
        form = read_target(target, y, random_state)
        X, y, folds = read_folds(
            X, y, cv=cv, order=order, max_rows=max_rows, groups=groups, random=random
        )
        material, known = Material(X, y, random, in_time=order == "time"), _Known()
        outcomes = [
            each for fold in folds for each in _FoldAudit(form, material, fold, known).outcomes()
        ]
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
    """Fail unless an audit finds a target clean: for a test suite.

    Parameters
    ----------
    target, X, y, cv, order, max_rows, groups, random_state : object
        As for `audit`.

    Raises
    ------
    LeakageError
        An AssertionError, if a dependence on held-out rows was observed.
    AssertionError
        If nothing was shown: the target differs from itself, or refuses all probes.
    TargetError, MutatedInputError, SplitError, InvalidParameterError, ValueError
        As for `audit`.

    Notes
    -----
    To pass means that no dependence was observed under the probes of `audit`, at its cost.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.preprocessing import minmax_scale
    >>> from skscale import MinMaxScaler
    >>> from skscale.leakage import assert_train_only
    >>> rows = np.random.default_rng(0).normal(size=(100, 3))
    >>> assert_train_only(MinMaxScaler(), rows)
    >>> assert_train_only(minmax_scale, rows)
    Traceback (most recent call last):
        ...
    skscale.errors.LeakageError: minmax_scale depends on held-out rows. First: fold 0, ...
    """
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
    if report.status == LEAKY:
        raise LeakageError(report.message())
    if not report.ok:
        raise AssertionError(report.message())


@dataclass(frozen=True)
class _Run:
    """A table as it was given to a target, and what came of it."""

    X: Any
    y: Any
    learned: Any
    seen: Observed


@dataclass
class _Known:
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


class _FoldAudit:
    """One target on one fold: as it is, and under every probe.

    An estimator is fitted twice as it is, and given changed held-out rows after that: its fits see
    none of them. Whatever moves then is looked at again with fits of its own, so that what one
    transform left behind is not laid at the door of another.
    """

    def __init__(self, target: Target, material: Material, fold: Fold, known: _Known) -> None:
        self._target = target
        self._material = material
        self._fold = fold
        self._known = known
        self._everything = np.ones(fold.n_rows, dtype=bool)

    def outcomes(self) -> list[Outcome]:
        """What each probe came to."""
        plain = self._run_plain(HELD_OUT)
        again = self._run(plain.X, plain.y, batches=(HELD_OUT,))
        moved = self._differ(plain.seen, again.seen)
        if moved:
            return [self._outcome("as it is", INCONCLUSIVE, moved)]
        if plain.learned is not None:
            plain.seen.add(self._run_plain(ALL, plain.learned).seen)
        holed = self._run_holed()
        asked = list(
            probes(
                self._material,
                self._fold,
                None if isinstance(holed, str) else holed.X,
                self._target.knows_split,
            )
        )
        outcomes = [self._ask(probe, plain, holed) for probe in asked]
        if plain.learned is not None and differences(again.learned, plain.learned):
            # Transforms leave something behind: to each its own fit.
            outcomes = [self._ask(probe, plain, holed, apart=True) for probe in asked]
        if plain.learned is not None and all(each.outcome != LEAKY for each in outcomes):
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
        restless = self._differ(first.seen, second.seen)
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
        seen = self._target.apply(learned, X, y, self._fold.train, self._fold.test, batches)
        return _Run(X, y, learned, seen)

    def _learn(self, X: Any, y: Any) -> Any:
        return self._target.learn(X, y, self._fold.train)

    def _differ(self, before: Observed, after: Observed) -> list[Difference]:
        everything = self._everything
        return [
            *differences(before.fixed, after.fixed),
            *moved_results(before, after, everything, everything),
        ]

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


def _check_lengths(X: Any, y: Any, groups: Any) -> None:
    if not tables.has_rows(X):
        raise TypeError(
            f"X is a {type(X).__name__}; it must be an array, a frame, a series, a sparse matrix "
            "or a list of rows, in memory."
        )
    if isinstance(X, np.matrix):
        raise TypeError("X is a matrix, whose columns are matrices again. Pass np.asarray(X).")
    for name, rows in (("y", y), ("groups", groups)):
        if rows is not None and not hasattr(rows, "__len__"):
            raise TypeError(
                f"{name} is a {type(rows).__name__}; it must have one entry for each row of X."
            )
        if rows is not None and len(rows) != tables.count_rows(X):
            raise ValueError(
                f"{name} has {len(rows)} entries and X has {tables.count_rows(X)} rows; they must "
                "be as many."
            )


def _told(error: Exception) -> str:
    said = " ".join(str(error).split())
    return f"{type(error).__name__}: {said[:200].rstrip('.')}"


def _name_of(target: Any) -> str:
    return getattr(target, "__name__", None) or type(target).__name__

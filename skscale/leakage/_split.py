"""Whether train rows and test rows know of each other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from skscale import _tables as tables
from skscale._words import counted
from skscale.errors import SchemaError
from skscale.leakage._check import CheckReport, Finding, listed
from skscale.leakage._levels import Levels
from skscale.leakage._profile import Columns, read_numbers
from skscale.leakage._rows import check_same_columns, paired_hashes
from skscale.leakage._signs import evidence, signs
from skscale.leakage._straddle import RATE, Straddle, straddle


def check_split(X_train: Any, X_test: Any, *, groups: Any = None, time: Any = None) -> CheckReport:
    """Look for what train rows and test rows should not have in common.

    Parameters
    ----------
    X_train, X_test : array-like, sparse arrays or frames of shape (n_rows, n_features)
        The two parts, with the same columns, as they go into a model. Columns that are not numbers
        count for duplicates only.
    groups : pair of array-like of shapes (n_train,) and (n_test,), default=None
        Group of every train row and of every test row. No group may be in both.
    time : pair of array-like of shapes (n_train,) and (n_test,), default=None
        Time of every train row and of every test row: numbers, dates, or text that sorts. No test
        row may be earlier than the latest train row.

    Returns
    -------
    report : CheckReport
        It is true if `ok`.
        `ok`; `columns`, the names (or positions) of flagged columns; `findings`, each with `kind`,
        `message`, `columns`, `rows` (of `X_test`) and `numbers`; `to_frame()`. The kinds are those
        of `check_prescaled`, "scaled by themselves" (the test rows, by their own statistics),
        "duplicates", "groups" and "time".

    Raises
    ------
    InfiniteValueError, SchemaError, ValueError
        For bad tables, tables with different columns, or groups and times of a wrong length.

    See Also
    --------
    check_prescaled : the same signs in one table, before it is split.
    seen_in_fit : whether a transformer was fitted on these rows.

    Notes
    -----
    *Scaled before the split.* Train rows scaled by their own statistics have mean 0 and deviation
    1, and train and test rows together do not. If it is the other way round, the statistics were
    those of all rows. Statistics of both parts together are the merge of theirs. Tolerances, false
    alarms (at most 1e-4 for each kind) and what a design explains are those of `check_prescaled`.
    Columns with the same statistics in the train part, such as binary ones in a stratified split,
    are never flagged.

    *Duplicates.* A random split leaves a pair of equal rows on both sides with probability
    ``2 n_train n_test / (n (n - 1))``, and rows that are there many times nearly always. There is
    a finding if the number of different rows on both sides is one that a random split of the same
    rows exceeds with a probability of at most 1e-4, by Chernoff's bound (1952) for independent
    indicators. Tables whose rows repeat anyway are thus not accused, and rows that were repeated
    before a random split (oversampling) are not found: the counts are in `numbers`, whatever
    the verdict. So it takes 14 pairs between halves of a table, and 9 between a fifth and the rest;
    fewer are no finding, even where no train row is there twice, since a table with some rows
    twice, split at random, looks like that. -0.0 equals 0.0 and all
    missing values are equal.

    *What it cannot see.* See `check_prescaled`; also rows that are nearly equal, and anything about
    rows that are in neither table.

    Cost: O((n_train + n_test) * n_features), and a sort of one number per row.

    References
    ----------
    Chernoff, H. (1952). A measure of asymptotic efficiency for tests of a hypothesis based on the
    sum of observations. Annals of Mathematical Statistics 23, 493-507. Kapoor, S. and Narayanan, A.
    (2023). Leakage and the reproducibility crisis in machine-learning-based science. Patterns 4,
    100804.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from sklearn.model_selection import train_test_split
    >>> from skscale import StandardScaler
    >>> from skscale.leakage import check_split
    >>> X = load_wine().data
    >>> X_train, X_test = train_test_split(StandardScaler().fit_transform(X), random_state=0)
    >>> report = check_split(X_train, X_test)
    >>> report.ok, report.findings[0].kind, len(report.columns)
    (False, 'standardized', 13)

    Split first, then fit:

    >>> X_train, X_test = train_test_split(X, random_state=0)
    >>> scaler = StandardScaler().fit(X_train)
    >>> check_split(scaler.transform(X_train), scaler.transform(X_test)).ok
    True

    One patient on both sides, and a test row from before the train rows ended:

    >>> report = check_split(
    ...     [[1.0], [2.0]], [[3.0], [4.0]], groups=(["a", "b"], ["b", "c"]), time=([1, 3], [2, 4])
    ... )
    >>> [(found.kind, found.rows) for found in report.findings]
    [('groups', (0,)), ('time', (0,))]
    """
    X_train, X_test = tables.as_mixed(X_train), tables.as_mixed(X_test)
    check_same_columns(X_train, X_test)
    sizes = X_train.shape[0], X_test.shape[0]
    findings = list(_scaling(X_train, X_test))
    shared = straddle(*paired_hashes(X_train, X_test))
    findings += _duplicates(shared, sizes[1])
    if groups is not None:
        findings += _groups(*_pair(groups, "groups", sizes))
    if time is not None:
        findings += _time(*_pair(time, "time", sizes))
    subject = f"{counted(sizes[0], 'train row')} and {counted(sizes[1], 'test row')}"
    numbers, remark = _numbers(shared, sizes[1]), _remark(shared, sizes[1])
    return CheckReport("check_split", subject, tuple(findings), numbers, remark)


def _scaling(X_train: Any, X_test: Any) -> Iterator[Finding]:
    test_numbers = set(tables.number_columns(X_test))
    positions = [i for i in tables.number_columns(X_train) if i in test_numbers]
    if not positions:
        return
    train, test = (read_numbers(X, positions, "check_split") for X in (X_train, X_test))
    together = train.profile.merge(test.profile)
    yield from signs([train, test], together, train.profile)
    yield from _scaled_by_themselves(train, test)


def _scaled_by_themselves(train: Columns, test: Columns) -> Iterator[Finding]:
    """Test rows of mean 0 and deviation 1, unless their values are those of the train rows.

    A column of few values may have equal statistics in both parts; after honest scaling its values
    are equal too.
    """
    rows, tolerance, levels = test.profile, test.tolerance.moment, Levels([test])
    suspects = rows.standardized(tolerance)
    for i in np.flatnonzero(suspects).tolist():
        suspects[i] = np.isin(test.column(i), train.column(i)).mean() < 0.5
    chance = rows.chance_of_mean(tolerance) * rows.chance_of_unit(tolerance)
    labels = tuple(train.labels[i] for i in np.flatnonzero(suspects))
    if evidence(suspects, chance, lambda i: not levels.are_coded(i)).any():
        have = "has" if len(labels) == 1 else "have"
        yield Finding(
            "scaled by themselves",
            f"{counted(len(labels), 'column')} of the test rows {have} mean 0 and deviation (or "
            f"norm) 1, to rounding: {listed(labels)}. They were scaled by their own statistics. "
            "Scale them by those of the train rows: transformer.fit(X_train); "
            "transformer.transform(X_test).",
            labels,
            numbers={"n_columns": len(labels)},
        )


def _duplicates(shared: Straddle, n_test: int) -> Iterator[Finding]:
    if shared.p_value > RATE:
        return
    n_rows = len(shared.rows)
    yield Finding(
        "duplicates",
        f"{n_rows} of {counted(n_test, 'test row')} {'is' if n_rows == 1 else 'are'} among the "
        f"train rows, {counted(shared.found, 'different one')}; a random split of these rows would "
        f"leave {shared.expected:.3g} on both sides (as many as that with probability "
        f"{shared.p_value:.1g} at most). Drop duplicates before the split, or keep equal rows on "
        "one side with GroupKFold.",
        rows=tuple(shared.rows.tolist()),
        numbers=_numbers(shared, n_test),
    )


def _remark(shared: Straddle, n_test: int) -> str:
    """What there is to say of rows in both parts that are no finding."""
    if not shared.found:
        return "no test row is among the train rows"
    if shared.p_value <= RATE:
        return ""
    n_rows = len(shared.rows)
    return (
        f"{n_rows} of {counted(n_test, 'test row')} {'is' if n_rows == 1 else 'are'} among the "
        f"train rows, which is no finding: {counted(shared.found, 'different row')} on both sides, "
        f"where a random split of the same rows leaves {shared.expected:.3g} on average, and as "
        f"many as {shared.found} with a probability of up to {shared.p_value:.2g}"
    )


def _numbers(shared: Straddle, n_test: int) -> dict[str, float]:
    return {
        "test_rows_in_train": len(shared.rows),
        "share_of_test_rows_in_train": len(shared.rows) / n_test,
        "share_of_train_rows_repeated_in_train": shared.in_train,
        "expected_on_both_sides": shared.expected,
        "found_on_both_sides": shared.found,
        "p_value": shared.p_value,
    }


def _groups(train: list[Any], test: list[Any]) -> Iterator[Finding]:
    both = {value for value in train if not _is_missing(value)}.intersection(test)
    if both:
        names = [value for value in dict.fromkeys(test) if value in both]
        rows = tuple(i for i, value in enumerate(test) if value in both)
        yield Finding(
            "groups",
            f"{counted(len(names), 'group')} in both parts: {listed(names)}. Split by groups: "
            "GroupKFold().split(X, y, groups), or GroupShuffleSplit.",
            rows=rows,
            numbers={"n_groups": len(names), "n_rows": len(rows)},
        )


def _time(train: list[Any], test: list[Any]) -> Iterator[Finding]:
    known = [value for value in train if not _is_missing(value)]
    if not known:
        return
    try:
        latest = max(known)
        rows = tuple(i for i, value in enumerate(test) if not _is_missing(value) and value < latest)
    except TypeError as error:
        raise TypeError(
            f"time must hold values of one kind, in both parts: numbers, dates or text; {error}."
        ) from None
    if rows:
        earliest = min(test[i] for i in rows)
        verb = "is" if len(rows) == 1 else "are"
        yield Finding(
            "time",
            f"{counted(len(rows), 'test row')} {verb} earlier than the latest train row "
            f"({latest!s}), the earliest {earliest!s}. Train on the past only: sort by time, then "
            "TimeSeriesSplit.",
            rows=rows,
            numbers={"n_rows": len(rows)},
        )


def _pair(pair: Any, name: str, sizes: tuple[int, int]) -> tuple[list[Any], list[Any]]:
    """The two columns of values, as Python's objects."""
    if not isinstance(pair, (tuple, list)) or len(pair) != 2:
        raise ValueError(
            f"{name} must be a pair, of the train rows and of the test rows: "
            f"{name}=({name}_train, {name}_test); got {type(pair).__name__}."
        )
    train, test = map(_values, pair)
    flat = not any(isinstance(value, (list, np.ndarray)) for value in (*train, *test))
    if (len(train), len(test)) != sizes or not flat:
        raise SchemaError(
            f"{name} must be one value per row, {sizes[0]} of the train rows and {sizes[1]} of the "
            f"test rows; got shapes {np.shape(pair[0])} and {np.shape(pair[1])}."
        )
    return train, test


def _values(part: Any) -> list[Any]:
    """Python's objects, but dates of numpy's as they are: those of nanoseconds have no other."""
    if hasattr(part, "to_list"):
        return list(part.to_list())
    if isinstance(part, np.ndarray) and part.dtype.kind not in "mM":
        return list(part.tolist())
    return list(part)


def _is_missing(value: Any) -> bool:
    # Told by name, since NA of pandas is neither equal to itself nor different; words are words.
    if isinstance(value, (str, bytes)):
        return False
    return value is None or str(value) in ("nan", "NaN", "NaT", "<NA>")

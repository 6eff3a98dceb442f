"""Everything that the checks of leakage find in a cross-validation."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from skscale import _tables as tables
from skscale._splits import Splits
from skscale.errors import MutatedInputError, TargetError
from skscale.leakage import audit, check_prescaled, check_split
from skscale.leakage._check import CheckReport
from skscale.leakage._report import AuditReport

SHOWN = 4
"""Splits that are named where the same was found; the others are counted."""


@dataclass(frozen=True, repr=False)
class LeakageReport:
    """What the checks of `skscale.leakage` found in an estimator, a table and its splits.

    It is true if, and only if, `ok`.

    Parameters
    ----------
    audit : AuditReport or None
        Whether the estimator learns from training rows only, on these splits; None if it cannot be
        fitted on each of them.
    prescaled : CheckReport or None
        Whether the table was scaled as a whole; None if that could not be looked at.
    splits : tuple of CheckReport
        Whether training and test rows know of each other, split by split; empty if that could not
        be looked at. Documents are compared as they are: the same text in both parts shows.
    left_out : dict of str to str
        What could not be looked at, and why: a list of documents is no table of numbers. `ok` is
        then about the rest.
    """

    audit: AuditReport | None
    prescaled: CheckReport | None
    splits: tuple[CheckReport, ...]
    left_out: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, estimator: Any, X: Any, y: Any, splits: Splits, groups: Any) -> LeakageReport:
        """Run all checks that apply."""
        given = list(splits)
        groups = None if groups is None else np.asarray(groups)
        audited, prescaled, checked, left_out = None, None, [], {}
        try:
            audited = audit(estimator, X, y, cv=given, groups=groups)
        except (TargetError, MutatedInputError) as error:
            left_out["estimator"] = str(error)
        table = _as_table(X)
        try:
            if tables.number_columns(tables.as_mixed(table)):
                prescaled = check_prescaled(table)
            else:
                left_out["table"] = "it has no columns of numbers"
            for train, test in given:
                parts = tables.take_rows(table, train), tables.take_rows(table, test)
                labels = None if groups is None else (groups[train], groups[test])
                checked.append(check_split(*parts, groups=labels))
        except (ValueError, TypeError) as error:  # rows that the estimator takes, and no table does
            prescaled, checked = None, []
            left_out |= dict.fromkeys(("table", "splits"), str(error).partition("\n")[0])
        return cls(audited, prescaled, tuple(checked), left_out)

    @property
    def ok(self) -> bool:
        """Whether nothing was found, by an audit and checks of the splits that could be run."""
        is_seen = self.audit is not None and bool(self.splits)
        return is_seen and all(report.ok for report in self._reports())

    def __bool__(self) -> bool:
        return self.ok

    @property
    def findings(self) -> tuple[Any, ...]:
        """Everything that was found: in the estimator, in the table, in the splits."""
        return tuple(found for report in self._reports() for found in report.findings)

    def _reports(self) -> list[Any]:
        reports = (self.audit, self.prescaled, *self.splits)
        return [report for report in reports if report is not None]

    def _headline(self) -> str:
        n_doubtful = sum(not report.ok for report in self.splits)
        doubtful = [] if self.audit is None or self.audit.ok else ["estimator"]
        if self.prescaled is not None and not self.prescaled.ok:
            doubtful.append("table")
        if n_doubtful:
            doubtful.append(f"{n_doubtful} of {len(self.splits)} splits")
        if doubtful:
            return f"look at {', '.join(doubtful)}"
        looked = [
            *([] if self.audit is None else ["the estimator"]),
            *([] if self.prescaled is None else ["the table"]),
            *([f"{len(self.splits)} splits"] if self.splits else []),
        ]
        if not looked:
            return "nothing could be looked at"
        *first, last = looked
        found = f"nothing found in {' and '.join(filter(None, [', '.join(first), last]))}"
        return found if self.ok else f"{found}, and not all could be looked at"

    def _told(self) -> list[tuple[str, str]]:
        """What was found and where, the same of several splits once."""
        told = []
        if self.audit is not None and not self.audit.ok:
            told.append(("estimator", self.audit.message()))
        if self.prescaled is not None:
            told += [("table", f"{each.kind}: {each.message}") for each in self.prescaled.findings]
        where: dict[Any, tuple[str, list[int]]] = {}  # the first message, and all that have it
        for number, report in enumerate(self.splits):
            for each in report.findings:
                _, numbers = where.setdefault((each.kind, each.columns), (each.message, []))
                numbers.append(number)
        for (kind, _), (message, numbers) in where.items():
            told.append((_splits(numbers, len(self.splits)), f"{kind}: {message}"))
        n_repeated = [report.numbers.get("test_rows_in_train", 0) for report in self.splits]
        if any(n_repeated) and "duplicates" not in {kind for kind, _ in where}:
            text = (
                f"up to {max(n_repeated)} test rows are among the train rows, as repeated rows are"
            )
            told.append(("splits", f"{text} after a random split"))
        return told + [(f"{part}, not looked at", why) for part, why in self.left_out.items()]

    def __repr__(self) -> str:
        lines = [f"{place}: {text}" for place, text in self._told()]
        return "\n  ".join([f"LeakageReport: {self._headline()}", *lines])

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th>{html.escape(place)}</th><td>{html.escape(text)}</td></tr>"
            for place, text in self._told()
        )
        heading = f"<strong>{html.escape(self._headline())}</strong>"
        return f"<div>{heading}<table><tbody>{rows}</tbody></table></div>"


def _splits(numbers: list[int], n_splits: int) -> str:
    """Names of the splits in which the same was found, and the one whose numbers are told."""
    if len(numbers) == 1:
        return f"split {numbers[0]}"
    more = len(numbers) - SHOWN
    named = ", ".join(map(str, numbers[:SHOWN])) + (f" and {more} more" if more > 0 else "")
    which = f"all {n_splits} splits" if len(numbers) == n_splits else f"splits {named}"
    return f"{which} (told of split {numbers[0]})"


def _as_table(X: Any) -> Any:
    """Documents, one in each row, as a table of one column; tables as they are."""
    one_each = tables.is_series(X) or (isinstance(X, list) and len(X) > 0 and np.ndim(X[0]) == 0)
    if not one_each and getattr(X, "ndim", 2) != 1:
        return X
    column = np.empty((len(X), 1), dtype=object)
    column[:, 0] = list(X)
    return column

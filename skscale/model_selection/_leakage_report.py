"""Everything that the checks of leakage find in a cross-validation."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import Any

import numpy as np

from skscale import _tables as tables
from skscale._splits import Splits
from skscale.leakage import audit, check_prescaled, check_split
from skscale.leakage._check import CheckReport
from skscale.leakage._report import AuditReport

SHOWN = 4
"""Parts that are shown with what was found there; the others are counted."""


@dataclass(frozen=True, repr=False)
class LeakageReport:
    """What the checks of `skscale.leakage` found in an estimator, a table and its splits.

    It is true if, and only if, `ok`.

    Parameters
    ----------
    audit : AuditReport
        Whether the estimator learns from training rows only, on these splits.
    prescaled : CheckReport
        Whether the table was scaled as a whole.
    splits : tuple of CheckReport
        Whether training and test rows know of each other, split by split.
    """

    audit: AuditReport
    prescaled: CheckReport
    splits: tuple[CheckReport, ...]

    @classmethod
    def of(cls, estimator: Any, X: Any, y: Any, splits: Splits, groups: Any) -> LeakageReport:
        """Run all checks."""
        given = list(splits)
        groups = None if groups is None else np.asarray(groups)
        return cls(
            audit(estimator, X, y, cv=given, groups=groups),
            check_prescaled(X),
            tuple(
                check_split(
                    tables.take_rows(X, train),
                    tables.take_rows(X, test),
                    groups=None if groups is None else (groups[train], groups[test]),
                )
                for train, test in given
            ),
        )

    @property
    def ok(self) -> bool:
        """Whether nothing was found, and the audit could be run: that proves nothing more."""
        return all(report.ok for _, report in self._parts())

    def __bool__(self) -> bool:
        return self.ok

    @property
    def findings(self) -> tuple[Any, ...]:
        """Everything that was found: in the estimator, in the table, in the splits."""
        return tuple(found for _, report in self._parts() for found in report.findings)

    def _parts(self) -> list[tuple[str, Any]]:
        numbered = [(f"split {k}", report) for k, report in enumerate(self.splits)]
        return [("estimator", self.audit), ("table", self.prescaled), *numbered]

    def _headline(self) -> str:
        n_doubtful = sum(not report.ok for report in self.splits)
        doubtful = [name for name, report in self._parts()[:2] if not report.ok]
        if n_doubtful:
            doubtful.append(f"{n_doubtful} of {len(self.splits)} splits")
        if not doubtful:
            return f"nothing found in the estimator, the table and {len(self.splits)} splits"
        return f"look at {', '.join(doubtful)}"

    def _told(self) -> list[tuple[str, list[str]]]:
        """What is doubtful, and why; not every split."""
        doubtful = [(name, report) for name, report in self._parts() if not report.ok]
        told = [(name, _lines(report)) for name, report in doubtful[:SHOWN]]
        more = len(doubtful) - SHOWN
        return [*told, (f"and {more} more", [])] if more > 0 else told

    def __repr__(self) -> str:
        lines = [f"LeakageReport: {self._headline()}"]
        for name, found in self._told():
            lines += [f"{name}:" if found else name, *(f"  {line}" for line in found)]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        parts = "".join(
            f"<h4>{html.escape(name)}</h4>"
            + "".join(f"<p>{html.escape(line)}</p>" for line in found)
            for name, found in self._told()
        )
        return f"<div><strong>{html.escape(self._headline())}</strong>{parts}</div>"


def _lines(report: Any) -> list[str]:
    """What an audit, or a check, found."""
    if isinstance(report, AuditReport):
        return [report.message()]
    return [f"{found.kind}: {found.message}" for found in report.findings]

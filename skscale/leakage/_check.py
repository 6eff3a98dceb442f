"""What a check found, and how it shows."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from skscale import _tables as tables
from skscale._words import counted

SHOWN = 8
"""Columns or rows that are named in a text; the others are counted."""


@dataclass(frozen=True)
class Finding:
    """One thing that a check found.

    Parameters
    ----------
    kind : str
        What was found, in a word: "standardized", "duplicates", ...
    message : str
        The same in a sentence, with what to do.
    columns : tuple
        Names of the columns it concerns, or their positions where there are no names.
    rows : tuple of int
        Positions of the rows it concerns, in the second table where there are two.
    numbers : dict of str to float
        What was counted or measured.
    """

    kind: str
    message: str
    columns: tuple[Any, ...] = ()
    rows: tuple[int, ...] = ()
    numbers: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, repr=False)
class CheckReport:
    """What a check looked at and found. It is true if, and only if, `ok`.

    Parameters
    ----------
    check : str
        The name of the function.
    subject : str
        What it looked at.
    findings : tuple of Finding
        Everything that was found; empty if nothing was.
    numbers : dict of str to float
        What was counted on the way, whether or not it is a finding.
    remark : str
        The same in a sentence, where it is no finding.
    """

    check: str
    subject: str
    findings: tuple[Finding, ...] = ()
    numbers: Mapping[str, float] = field(default_factory=dict)
    remark: str = ""

    @property
    def ok(self) -> bool:
        """Whether nothing was found, which does not prove that nothing is there."""
        return not self.findings

    def __bool__(self) -> bool:
        return self.ok

    @property
    def columns(self) -> list[Any]:
        """Columns that some finding is about, each once."""
        return list(dict.fromkeys(name for found in self.findings for name in found.columns))

    def to_frame(self) -> Any:
        """Findings as a pandas DataFrame: kind, columns, n_rows and message.

        Raises
        ------
        MissingDependencyError
            If pandas is not installed.
        """
        cells = np.empty((len(self.findings), 4), dtype=object)
        for i, found in enumerate(self.findings):
            cells[i] = found.kind, list(found.columns), len(found.rows), found.message
        return tables.to_frame(
            cells, "pandas", ["kind", "columns", "n_rows", "message"], None, False
        )

    def __repr__(self) -> str:
        lines = [self._headline()]
        lines += [f"  {found.kind}: {found.message}" for found in self.findings]
        return "\n".join([*lines, f"  {self.remark}"] if self.remark else lines)

    def _repr_html_(self) -> str:
        findings = "".join(
            f"<tr><td>{html.escape(found.kind)}</td><td>{html.escape(found.message)}</td></tr>"
            for found in self.findings
        )
        return (
            f"<div><strong>{html.escape(self._headline())}</strong>"
            f"<table><tbody>{findings}</tbody></table><p>{html.escape(self.remark)}</p></div>"
        )

    def _headline(self) -> str:
        count = len(self.findings)
        said = "nothing found" if count == 0 else counted(count, "finding")
        return f"{self.check}: {said} in {self.subject}"


def listed(things: Any) -> str:
    """The first few of some names or positions, and how many more there are."""
    shown = ", ".join(repr(thing) for thing in things[:SHOWN])
    more = len(things) - SHOWN
    return shown if more <= 0 else f"{shown} and {more} more"

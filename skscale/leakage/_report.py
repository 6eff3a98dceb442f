"""What an audit found: fold by fold and probe by probe, and what it amounts to."""

from __future__ import annotations

import html
import warnings
from collections import Counter
from dataclasses import dataclass
from math import inf, nan
from typing import Any

from skscale import _tables as tables
from skscale.errors import LeakageError, NothingShownWarning

CLEAN, LEAKY, INCONCLUSIVE, NOT_RUN = "clean", "leaky", "inconclusive", "not run"


@dataclass(frozen=True)
class Finding:
    """A dependence on held-out rows that was observed.

    Parameters
    ----------
    fold : int
        Which split.
    probe : str
        What was changed about the held-out rows.
    where : str
        What moved: step and attribute, or a column of the results.
    max_ulp : float
        By how many units in the last place; infinite where anything but numbers moved.
    """

    fold: int
    probe: str
    where: str
    max_ulp: float

    def __str__(self) -> str:
        return f"fold {self.fold}, {self.probe}: {self.where} moved by {format_ulp(self.max_ulp)}"


@dataclass(frozen=True)
class Outcome:
    """What one probe of one fold came to.

    Parameters
    ----------
    fold : int
        Which split.
    probe : str
        What was changed.
    outcome : {"clean", "leaky", "inconclusive", "not run"}
        What that did.
    where : str
        What moved, or why nothing was run.
    ulp : float
        By how much; 0 if nothing moved, NaN if nothing was run.
    about_rows : bool
        Whether held-out rows of X were changed.
    """

    fold: int
    probe: str
    outcome: str
    where: str = ""
    ulp: float = nan
    about_rows: bool = False


def format_ulp(ulp: float) -> str:
    """A distance in words."""
    if ulp == inf:
        return "more than can be counted"
    return f"{ulp:.0f} ulp" if ulp < 1e6 else f"{ulp:.1e} ulp"


class AuditReport:
    """What an audit observed. It is true if, and only if, `ok`.

    Parameters
    ----------
    name : str
        What was audited.
    outcomes : list of Outcome
        One for each probe of each fold.
    n_rows : int
        Rows that were looked at.

    Attributes
    ----------
    status : {"clean", "leaky", "inconclusive", "not run"}
        "leaky" if any probe moved what must stand still; "inconclusive" if the target differs from
        itself; "clean" if neither, and a probe of held-out rows ran in every fold; else "not run".
    ok : bool
        Whether the status is "clean".
    findings : list of Finding
        What moved, for each probe of each fold in which something did.
    outcomes : list of Outcome
        Everything that was tried.
    """

    def __init__(self, name: str, outcomes: list[Outcome], n_rows: int) -> None:
        self.name = name
        self.outcomes = outcomes
        self.n_rows = n_rows

    @property
    def findings(self) -> list[Finding]:
        return [
            Finding(each.fold, each.probe, each.where, each.ulp)
            for each in self.outcomes
            if each.outcome == LEAKY
        ]

    @property
    def status(self) -> str:
        seen = {each.outcome for each in self.outcomes}
        for worst in (LEAKY, INCONCLUSIVE):
            if worst in seen:
                return worst
        folds = {each.fold for each in self.outcomes}
        probed = {each.fold for each in self.outcomes if each.about_rows and each.outcome == CLEAN}
        return CLEAN if folds and probed == folds else NOT_RUN

    @property
    def ok(self) -> bool:
        return self.status == CLEAN

    def __bool__(self) -> bool:
        return self.ok

    def to_frame(self) -> Any:
        """Everything that was tried, as a pandas frame.

        Returns
        -------
        frame : pandas.DataFrame
            With columns fold, probe, outcome, where and ulp.

        Raises
        ------
        MissingDependencyError
            Without pandas.
        """
        names = ("fold", "probe", "outcome", "where", "ulp")
        return tables.frame_of(
            {name: [getattr(each, name) for each in self.outcomes] for name in names}
        )

    def raise_if_leaky(self) -> AuditReport:
        """Raise if a dependence on held-out rows was observed.

        An audit that showed nothing either way warns; `assert_train_only` fails for that too.

        Returns
        -------
        report : AuditReport
            The report itself.

        Raises
        ------
        LeakageError
            If the status is "leaky".

        Warns
        -----
        NothingShownWarning
            If the status is "inconclusive" or "not run".
        """
        if self.status == LEAKY:
            raise LeakageError(self.message())
        if not self.ok:
            warnings.warn(self.message(), NothingShownWarning, stacklevel=2)
        return self

    def message(self) -> str:
        """What was found, and what to do about it.

        Returns
        -------
        message : str
            One or two sentences.
        """
        n_folds = len({each.fold for each in self.outcomes})
        if self.status == CLEAN:
            n_run = sum(each.outcome == CLEAN for each in self.outcomes)
            return (
                f"{self.name}: no dependence on held-out rows observed under {n_run} probes of "
                f"{n_folds} folds."
            )
        if self.status == LEAKY:
            findings = self.findings
            more = f" ({len(findings)} findings in all)" if len(findings) > 1 else ""
            return (
                f"{self.name} depends on held-out rows. First: {findings[0]}{more}. "
                "Learn it from the training rows only: put it in a Pipeline as a transformer whose "
                "fit learns, and whose transform only applies what was learned."
            )
        if self.status == INCONCLUSIVE:
            first = next(each for each in self.outcomes if each.outcome == INCONCLUSIVE)
            return (
                f"{self.name}: nothing is shown, because it differs from itself when run twice on "
                f"the same rows: fold {first.fold}, {first.where} ({format_ulp(first.ulp)}). Fix "
                "its random numbers (random_state=0, or a generator made anew in every call)."
            )
        reasons = Counter(each.where for each in self.outcomes if each.outcome == NOT_RUN)
        reason = reasons.most_common(1)[0][0] if reasons else "there were no probes"
        return (
            f"{self.name}: nothing is shown, because no probe of held-out rows ran in every fold: "
            f"{reason}."
        )

    def __repr__(self) -> str:
        lines = [f"<audit: {self.status}> {self.message()}"]
        for probe in dict.fromkeys(each.probe for each in self.outcomes):
            mine = [each for each in self.outcomes if each.probe == probe]
            counts = Counter(each.outcome for each in mine)
            said = ", ".join(f"{kind} in {count}" for kind, count in counts.items())
            first = next((each.where for each in mine if each.where), "")
            lines.append(f"  {probe}: {said}{f' ({first})' if first else ''}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        cells = "".join(
            "<tr>"
            + "".join(
                f"<td>{html.escape(str(cell))}</td>"
                for cell in (
                    each.fold,
                    each.probe,
                    each.outcome,
                    each.where,
                    "" if each.ulp != each.ulp else format_ulp(each.ulp),
                )
            )
            + "</tr>"
            for each in self.outcomes
        )
        heads = "".join(f"<th>{name}</th>" for name in ("fold", "probe", "outcome", "where", "ulp"))
        return (
            f"<p><b>audit: {self.status}</b> {html.escape(self.message())}</p>"
            f"<table><thead><tr>{heads}</tr></thead><tbody>{cells}</tbody></table>"
        )

"""What an audit observed, fold by fold and probe by probe."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from textwrap import wrap
from typing import Any, NamedTuple, Self, final

import numpy as np

from skscale._kernels import Array
from skscale._parameters import boolean, check_parameter
from skscale.errors import TargetError
from skscale.inspection._drawing import (
    GREY,
    SKY,
    VERMILLION,
    YELLOW,
    panels,
    plural,
    require_matplotlib,
)
from skscale.inspection._fitting import LETTER, fit_text, room, text_scale, tick_size
from skscale.leakage import audit
from skscale.leakage._report import CLEAN, INCONCLUSIVE, LEAKY, NOT_RUN, AuditReport


class _Look(NamedTuple):
    colour: str
    mark: str
    hatch: str
    words: str


LOOKS = {
    CLEAN: _Look(SKY, "o", "", "clean: nothing moved"),
    LEAKY: _Look(VERMILLION, "X", "xxx", "leaky: moved with held-out rows"),
    INCONCLUSIVE: _Look(YELLOW, "?", "...", "inconclusive: differs from itself"),
    NOT_RUN: _Look(GREY, "–", "---", "not run: shows nothing"),
}
"""How the states of a cell look: told apart by their marks too, or by their hatches."""

SQUARE = np.array([[0, 0], [1, 0], [1, 1], [0, 1]])
"""Corners of a cell."""

WIDE = 25
"""Up to this many folds make a figure wider."""

LETTERED = 7.0
"""Points of a cell that has room for a mark; narrower ones are hatched."""

LONGEST_LINE = 48
"""Characters of a line of the legend, which two displays beside each other have room for."""


@final
class LeakageDisplay:
    """Folds and probes of an audit: in which of them something moved that was to stand still.

    Parameters
    ----------
    outcomes : ndarray of shape (n_probes, n_folds), str
        "clean", "leaky", "inconclusive" or "not run"; "" where there was no such probe.
    probes : sequence of str
        What was changed about held-out rows.
    folds : sequence of int
        Numbers of the splits.
    name : str, default="audit"
        What was audited.
    status : str, default=""
        What it amounts to.
    reasons : sequence of str, default=None
        Why each probe was not run; "" for those that were. None if it is not known.

    Attributes
    ----------
    probes_ : list of str
        Those that have a row: all that were run in some fold, or all.
    image_ : QuadMesh
        The cells.
    text_ : ndarray of shape (n_probes_shown, n_folds), object
        Mark of every cell; None where cells are too narrow for them.
    hatches_ : list of PolyCollection
        One for each state but "clean" where cells are too narrow for marks.
    legend_ : matplotlib Legend
        Below the cells: the states that occur, and in how many cells, and for each reason not to
        run probes how many there are.
    ax_ : matplotlib Axes
        Where it was drawn.
    axes_ : ndarray of shape (1,), object
        The same, as other displays have it.
    figure_ : matplotlib Figure
        The figure of `ax_`.
    bounding_ax_ : None
        Axes that were divided; here there are none.

    See Also
    --------
    skscale.leakage.audit : makes the report, and says what each probe does.

    Notes
    -----
    A cell that was not run shows nothing, and is no pass. Probes that were run in no fold have no
    row unless `show_not_run`, or there are no others; the legend counts them in any case. It is
    outside of the axes: a figure of yours has room for it with ``layout="constrained"``. Drawing
    costs nothing beside the audit, which fits the target several times for each fold.

    References
    ----------
    Kaufman, S., Rosset, S., Perlich, C. and Stitelman, O. (2012). Leakage in data mining:
    formulation, detection, and avoidance. ACM Transactions on Knowledge Discovery from Data 6.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.preprocessing import scale
    >>> from skscale.inspection import LeakageDisplay
    >>> from skscale.leakage import audit
    >>> rows = np.random.default_rng(0).normal(size=(40, 3))
    >>> display = LeakageDisplay.from_report(audit(scale, rows, cv=3))
    >>> display.status, display.outcomes.shape[1], display.ax_.get_title()
    ('leaky', 3, 'scale: leaky')
    """

    def __init__(
        self,
        outcomes: Array,
        probes: Sequence[str],
        folds: Sequence[int],
        *,
        name: str = "audit",
        status: str = "",
        reasons: Sequence[str] | None = None,
    ) -> None:
        self.outcomes = outcomes
        self.probes = probes
        self.folds = folds
        self.name = name
        self.status = status
        self.reasons = reasons

    @classmethod
    def from_report(
        cls, report: AuditReport, *, show_not_run: bool = False, ax: Any = None
    ) -> Self:
        """Draw the report of an audit.

        Parameters
        ----------
        report : AuditReport
            From `skscale.leakage.audit`.
        show_not_run : bool, default=False
            Whether probes that were run in no fold have a row too.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : LeakageDisplay

        Raises
        ------
        TargetError
            If it is no such report.
        InvalidParameterError
            If `show_not_run` or `ax` is none of the above.
        MissingDependencyError
            Without matplotlib.
        """
        require_matplotlib(cls.__name__)
        if not isinstance(report, AuditReport):
            raise TargetError(
                f"LeakageDisplay draws the report of skscale.leakage.audit; got a "
                f"{type(report).__name__}. Pass audit(target, X, y), or call "
                "LeakageDisplay.from_estimator(target, X, y)."
            )
        probes = list(dict.fromkeys(each.probe for each in report.outcomes))
        folds = sorted({each.fold for each in report.outcomes})
        outcomes = np.full((len(probes), len(folds)), "", dtype=object)
        for each in report.outcomes:
            outcomes[probes.index(each.probe), folds.index(each.fold)] = each.outcome
        display = cls(
            outcomes,
            probes,
            folds,
            name=report.name,
            status=report.status,
            reasons=[_reason(report, probe) for probe in probes],
        )
        return display.plot(show_not_run=show_not_run, ax=ax)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any = None,
        *,
        cv: Any = 5,
        order: str | None = None,
        max_rows: int | None = 2000,
        groups: Any = None,
        random_state: int = 0,
        show_not_run: bool = False,
        ax: Any = None,
    ) -> Self:
        """Audit, and draw what was observed.

        Parameters
        ----------
        estimator, X, y, cv, order, max_rows, groups, random_state : object
            As for `skscale.leakage.audit`; functions are audited too.
        show_not_run : bool, default=False
            Whether probes that were run in no fold have a row too.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : LeakageDisplay

        Raises
        ------
        TargetError, MutatedInputError, SplitError, InvalidParameterError, ValueError
            As for `skscale.leakage.audit`.
        MissingDependencyError
            Without matplotlib.
        """
        require_matplotlib(cls.__name__)
        check_parameter(cls.__name__, "show_not_run", boolean, show_not_run)
        report = audit(
            estimator,
            X,
            y,
            cv=cv,
            order=order,
            max_rows=max_rows,
            groups=groups,
            random_state=random_state,
        )
        return cls.from_report(report, show_not_run=show_not_run, ax=ax)

    def plot(self, *, show_not_run: bool = False, ax: Any = None) -> Self:
        """Draw.

        Parameters
        ----------
        show_not_run : bool, default=False
            Whether probes that were run in no fold have a row too.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : LeakageDisplay
            This one.
        """
        check_parameter(type(self).__name__, "show_not_run", boolean, show_not_run)
        outcomes = np.asarray(self.outcomes, dtype=object)
        is_shown = [any(state not in (NOT_RUN, "") for state in row) for row in outcomes]
        if show_not_run or not any(is_shown):
            is_shown = [True] * len(is_shown)
        self.probes_ = [name for name, shown in zip(self.probes, is_shown, strict=True) if shown]
        entries = self._entries(outcomes)
        width, height = 3.9 + 0.23 * min(len(self.folds), WIDE), 0.36 * len(self.probes_)
        n_lines = sum(label.count("\n") + 1 for _, label in entries)
        height += 1.4 + 0.17 * n_lines
        (axis,) = axes = panels(self, ax, [width], height)
        scale = text_scale(axes, [width], height)
        self._draw_cells(axis, outcomes[np.array(is_shown, dtype=bool)], scale)
        axis.set_title(f"{self.name}: {self.status}" if self.status else self.name)
        self.legend_ = self._draw_legend(axis, entries, is_hatched=bool(self.hatches_))
        fit_text(axes, scale)
        return self

    def _draw_cells(self, axis: Any, outcomes: Array, scale: float) -> None:
        from matplotlib.collections import PolyCollection
        from matplotlib.colors import ListedColormap

        n_probes, n_folds = outcomes.shape
        states = list(LOOKS)
        codes = np.ma.masked_all((n_probes, n_folds))
        for code, state in enumerate(states):
            codes[outcomes == state] = code
        names = LETTER * tick_size("y", scale) * max(map(len, self.probes_), default=0)
        cell = max(room(axis)[0] - names, 1) / max(n_folds, 1)
        is_marked = cell >= LETTERED
        self.image_ = axis.pcolormesh(
            codes,
            cmap=ListedColormap([LOOKS[state].colour for state in states]),
            vmin=-0.5,
            vmax=len(states) - 0.5,
            edgecolors="white" if is_marked else "none",
            linewidth=min(1.5, cell / 12),
        )
        self.hatches_: list[Any] = []
        self.text_ = np.full(codes.shape, None, dtype=object)
        if is_marked:
            for (row, column), state in np.ndenumerate(outcomes):
                if state:
                    self.text_[row, column] = axis.text(
                        column + 0.5,
                        row + 0.5,
                        LOOKS[state].mark,
                        ha="center",
                        va="center",
                        fontsize=min(10.0, 0.9 * cell),
                    )
        else:
            for state in states:
                corners = np.argwhere(outcomes == state)[:, np.newaxis, ::-1] + SQUARE
                if LOOKS[state].hatch and len(corners):
                    hatched = PolyCollection(
                        corners, hatch=LOOKS[state].hatch, facecolor="none", linewidth=0
                    )
                    self.hatches_.append(axis.add_collection(hatched))
        axis.set_ylim(max(n_probes, 1), 0)
        axis.set_yticks(np.arange(n_probes) + 0.5, labels=self.probes_)
        every = 1 if n_folds <= WIDE else -(-n_folds // 10)
        axis.set_xticks(np.arange(0, n_folds, every) + 0.5, labels=self.folds[::every])
        axis.tick_params(length=0)
        axis.set_xlabel("fold")

    def _entries(self, outcomes: Array) -> list[tuple[str, str]]:
        """States that occur, and what is said of them: of what was not run, why."""
        entries = [
            (state, f"{look.mark}  {look.words} ({count})")
            for state, look in LOOKS.items()
            if (count := int(np.count_nonzero(outcomes == state)))
            and (state != NOT_RUN or self.reasons is None)
        ]
        where = (outcomes == NOT_RUN).any(axis=1)
        reasons = Counter(
            reason for reason, skipped in zip(self.reasons or (), where, strict=False) if skipped
        )
        for reason, count in reasons.items():
            told = f"{plural(count, 'probe')} not run: {reason}".replace("$", r"\$")
            lines = wrap(told, LONGEST_LINE, max_lines=2, placeholder=" …")
            entries.append((NOT_RUN, f"{LOOKS[NOT_RUN].mark}  " + "\n    ".join(lines)))
        return entries

    @staticmethod
    def _draw_legend(axis: Any, entries: list[tuple[str, str]], is_hatched: bool) -> Any:
        from matplotlib.patches import Patch

        return axis.legend(
            handles=[
                Patch(
                    facecolor=LOOKS[state].colour,
                    hatch=LOOKS[state].hatch if is_hatched else None,
                    label=label,
                )
                for state, label in entries
            ],
            loc="upper right",  # below the cells and, as these are narrow, below the names too
            bbox_to_anchor=(1, 0),
            borderaxespad=4,
            fontsize="small",
            frameon=False,
        )


def _reason(report: AuditReport, probe: str) -> str:
    """Why a probe was not run, in most of the folds in which it was not."""
    reasons = Counter(
        each.where for each in report.outcomes if each.probe == probe and each.outcome == NOT_RUN
    )
    return reasons.most_common(1)[0][0] if reasons else ""

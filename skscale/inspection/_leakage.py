"""What an audit observed, fold by fold and probe by probe."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Self, final

import numpy as np

from skscale._kernels import Array
from skscale.errors import TargetError
from skscale.inspection._drawing import GREY, SKY, VERMILLION, YELLOW, panels, require_matplotlib
from skscale.leakage import audit
from skscale.leakage._report import CLEAN, INCONCLUSIVE, LEAKY, NOT_RUN, AuditReport


class _Look(NamedTuple):
    colour: str
    mark: str
    words: str


LOOKS = {
    CLEAN: _Look(SKY, "o", "clean: nothing moved"),
    LEAKY: _Look(VERMILLION, "X", "leaky: moved with held-out rows"),
    INCONCLUSIVE: _Look(YELLOW, "?", "inconclusive: differs from itself"),
    NOT_RUN: _Look(GREY, "–", "not run: shows nothing"),
}
"""How the states of a cell look: told apart by their marks too."""

MARKED = 25
"""Up to this many folds each cell has its mark."""


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

    Attributes
    ----------
    image_ : QuadMesh
        The cells.
    text_ : ndarray of shape (n_probes, n_folds), object
        Mark of every cell; None where there are more than 25 folds.
    legend_ : matplotlib Legend
        The states that occur, and in how many cells.
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
    A cell that was not run shows nothing, and is no pass. Drawing costs nothing beside the audit,
    which fits the target several times for each fold.

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
    ) -> None:
        self.outcomes = outcomes
        self.probes = probes
        self.folds = folds
        self.name = name
        self.status = status

    @classmethod
    def from_report(cls, report: AuditReport, *, ax: Any = None) -> Self:
        """Draw the report of an audit.

        Parameters
        ----------
        report : AuditReport
            From `skscale.leakage.audit`.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : LeakageDisplay

        Raises
        ------
        TargetError
            If it is no such report.
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
        display = cls(outcomes, probes, folds, name=report.name, status=report.status)
        return display.plot(ax=ax)

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
        ax: Any = None,
    ) -> Self:
        """Audit, and draw what was observed.

        Parameters
        ----------
        estimator, X, y, cv, order, max_rows, groups, random_state : object
            As for `skscale.leakage.audit`; functions are audited too.
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
        return cls.from_report(report, ax=ax)

    def plot(self, *, ax: Any = None) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : LeakageDisplay
            This one.
        """
        from matplotlib.colors import ListedColormap
        from matplotlib.patches import Patch

        n_probes, n_folds = np.shape(self.outcomes)
        width = 5.5 + 0.4 * min(n_folds, MARKED)
        (axis,) = panels(self, ax, [width], 1.6 + 0.36 * n_probes)
        states = list(LOOKS)
        codes = np.ma.masked_all((n_probes, n_folds))
        for code, state in enumerate(states):
            codes[self.outcomes == state] = code
        colours = ListedColormap([LOOKS[state].colour for state in states])
        is_marked = n_folds <= MARKED
        self.image_ = axis.pcolormesh(
            codes,
            cmap=colours,
            vmin=-0.5,
            vmax=len(states) - 0.5,
            edgecolors="white" if is_marked else "none",
            linewidth=1.5,
        )
        self.text_ = np.full(codes.shape, None, dtype=object)
        if is_marked:
            for (row, column), state in np.ndenumerate(self.outcomes):
                if state:
                    self.text_[row, column] = axis.text(
                        column + 0.5, row + 0.5, LOOKS[state].mark, ha="center", va="center"
                    )
        axis.set_ylim(max(n_probes, 1), 0)
        axis.set_yticks(np.arange(n_probes) + 0.5, labels=self.probes)
        every = 1 if is_marked else -(-n_folds // 10)
        axis.set_xticks(np.arange(0, n_folds, every) + 0.5, labels=self.folds[::every])
        axis.tick_params(length=0)
        axis.set_xlabel("fold")
        axis.set_ylabel("probe")
        axis.set_title(f"{self.name}: {self.status}" if self.status else self.name)
        counts = {state: int(np.sum(self.outcomes == state)) for state in states}
        self.legend_ = axis.legend(
            handles=[
                Patch(color=look.colour, label=f"{look.mark}  {look.words} ({counts[state]})")
                for state, look in LOOKS.items()
                if counts[state]
            ],
            loc="upper left",
            bbox_to_anchor=(1.01, 1),
            frameon=False,
        )
        return self

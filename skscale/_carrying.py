"""A chain of steps is solved from statistics of the rows that enter it.

The statistic of standardized rows is that of the rows, mapped: an affine step needs no look at
what the step before it makes of the rows.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple, Protocol

import numpy as np
from sklearn.base import clone

from skscale import _tables as tables
from skscale._admission import Occasion
from skscale._base import StatisticTransformer
from skscale._chains import is_shareable
from skscale._jobs import Computation
from skscale._kernels import Array
from skscale._opening import open_table
from skscale._tables import Table
from skscale.statistics import Extrema, Moments, Scatter, Triangle
from skscale.statistics._affine import AffineMap

CARRIED: set[type] = {Extrema, Moments, Scatter, Triangle}
"""Kinds of statistics that affine maps of the rows map."""


class NotCarried(Exception):
    """A statistic that cannot be had from those of the rows as they were given."""


class Measurements(Protocol):
    """What is known of the rows that enter a chain.

    Attributes
    ----------
    source : object or None
        A table with the columns of the rows; None if they are no table of numbers.
    """

    @property
    def source(self) -> Any: ...

    def occasion(self, n_features: int, is_sparse: bool) -> Occasion:
        """What a fit on these rows knows before it measures."""
        ...

    def measured(self, kind: type) -> Any:
        """Statistic of the rows; `NotCarried` if there is none."""
        ...


class Columns(NamedTuple):
    """What a step learns about its columns before it learns from the rows."""

    n_features: int
    names: Array | None
    dtype: np.dtype[Any]

    def after(self, step: StatisticTransformer) -> Columns:
        """Columns of what a step makes of rows."""
        is_widened = not step._columnwise and self.dtype == np.float16
        is_frame = tables.output_kind(step) != "default"
        return Columns(
            step._width_out(),
            step.get_feature_names_out() if is_frame else None,
            np.dtype(np.float64) if is_widened else self.dtype,
        )


class Carrier:
    """Fits one step after the other, for as long as statistics can be carried to it.

    Parameters
    ----------
    rows : Measurements
        Of the rows that enter the first step.
    """

    def __init__(self, rows: Measurements) -> None:
        self._rows = rows
        self._maps: tuple[AffineMap, ...] | None = None if rows.source is None else ()
        self._columns: Columns | None = None  # of the rows once they are mapped
        self._of_matrices: type = Scatter  # the last such statistic that was asked for

    def end(self) -> None:
        """Carry no further: a step has come whose rows are not known."""
        self._maps = None

    def fit(self, step: Any) -> Computation[bool]:
        """Fit the next step on a statistic of the rows that come to it.

        Returns
        -------
        is_fitted : bool
            If not, the step is as it was: it wants its rows, or statistics are carried no further.
        """
        maps = self._maps
        if maps is None or not is_shareable(step):
            return False
        draft, is_sparse = step._draft(keep=False), False
        draft._check_parameters()
        if self._columns is None:
            try:
                table = open_table(draft, self._rows.source, reset=True)
            except (TypeError, ValueError):
                return False  # a fit of the rows knows better what is wrong
            is_sparse = table.is_sparse
            columns = Columns(table.shape[1], None, table.dtype)
        else:
            columns = self._columns
            draft.n_features_in_ = columns.n_features
            if columns.names is not None:
                draft.feature_names_in_ = columns.names
        draft._dtype_ = columns.dtype
        try:
            yield from draft._learn_from(
                self._rows.occasion(columns.n_features, is_sparse),
                lambda: self._statistic(draft._kind(), maps),
            )
        except NotCarried:
            return False
        by = None if is_sparse else draft._affine_map()
        self._maps = None if by is None else (*maps, by)
        self._columns = columns.after(draft)
        step._become(draft)
        return True

    def _statistic(self, kind: type, maps: tuple[AffineMap, ...]) -> Any:
        """Statistic of the rows once they have gone through affine maps.

        Where columns have been mixed, moments follow from the kind of matrix that was asked for.

        Raises
        ------
        NotCarried
            If what can be measured of the rows as they were given does not tell.
        """
        if kind in (Scatter, Triangle):
            self._of_matrices = kind
        columnwise = all(by.is_columnwise for by in maps)
        if maps and (kind not in CARRIED or (kind is Extrema and not columnwise)):
            raise NotCarried
        of_matrices = kind is Moments and not columnwise
        statistic = self._rows.measured(self._of_matrices if of_matrices else kind)
        if maps and np.any(getattr(statistic, "exponent", 0)):
            raise NotCarried  # numbers so large or small that products of them leave float64
        for by in maps:
            statistic = statistic.affine(
                by.matrix, by.offset, centre=by.centre, centre_low=by.centre_low
            )
        return statistic if isinstance(statistic, kind) else statistic.moments()


def foreseen(
    steps: Iterable[Any],
    table: Table,
    occasions: Iterable[Occasion],
    *,
    with_refinements: bool = False,
) -> set[type]:
    """Kinds of statistics of the rows of a table that the leading steps will ask for.

    Parameters
    ----------
    steps : iterable of estimators
        In their order.
    table : Table
        With the columns of the rows.
    occasions : iterable of Occasion
        What fits may know before they measure.
    with_refinements : bool, default=False
        Whether what a step may find to need later on is among them.
    """
    occasions = list(occasions)
    kinds: set[type] = set()
    for step in steps:
        if not is_shareable(step):
            break
        for occasion in occasions:
            draft = clone(step)
            try:
                draft._check_parameters()
                if table.is_sparse:
                    draft._check_sparse(table.source)
                draft._plan(occasion)
            except (TypeError, ValueError):
                break  # the fit will tell
            if not kinds or draft._kind() in CARRIED:
                kinds.add(draft._kind())
                kinds |= draft._refinements() if with_refinements else set()
        if table.is_sparse or not step._columnwise:
            break
    return kinds - {Moments} if kinds & {Scatter, Triangle} else kinds

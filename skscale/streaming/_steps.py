"""The steps of a pipeline are fitted on a stream, as many as can be from every pass."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import takewhile
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.utils import get_tags
from sklearn.utils.multiclass import type_of_target

from skscale import _tables as tables
from skscale._admission import Occasion
from skscale._base import StatisticTransformer, TableTransformer
from skscale._carrying import Carrier, NotCarried, foreseen
from skscale._chains import is_shareable
from skscale._jobs import compute
from skscale._kernels import Array, WideRows
from skscale._opening import open_table
from skscale._provenance import MEMORY
from skscale._reduce import block_rows
from skscale._several import Several
from skscale.errors import InvalidParameterError
from skscale.statistics import Extrema, Moments, RowSketch, Scatter, Triangle
from skscale.streaming._handing import handed
from skscale.streaming._reading import Reading, transformed
from skscale.streaming._stream import Block, located


def fit_steps(steps: Sequence[Any], reading: Reading) -> None:
    """Fit the steps of a chain, which nobody else has, one pass for all that one can serve.

    Raises
    ------
    SourceError
        Where the rows can be read once, and steps need them again.
    InvalidParameterError
        Where a step cannot learn block by block.
    """
    check_steps(steps, reading)
    n_fitted = 0
    while n_fitted < len(steps):
        rows = StreamedRows(reading, steps[n_fitted:], tuple(steps[:n_fitted]))
        carrier, start = Carrier(rows), n_fitted
        while n_fitted < len(steps) and compute(carrier.fit(steps[n_fitted])):
            n_fitted += 1
        if n_fitted == start:
            fit_alone(steps[start], rows)
            n_fitted += 1


def check_steps(steps: Sequence[Any], reading: Reading) -> None:
    """Refuse at once what would be refused after hours."""
    n_passes = 0
    is_open = False  # whether statistics are carried on from the step before
    is_columnwise = True  # whether those of single columns are
    is_sparse = sparse.issparse(reading.stream.head.rows)
    for step in steps:
        if isinstance(step, StatisticTransformer):
            can_be = is_columnwise or Extrema not in step._statistics
            is_carried = is_open and can_be and is_shareable(step)
            n_passes += not is_carried
            is_columnwise = step._columnwise and (is_columnwise or not is_carried)
            is_open = is_shareable(step) and step._is_affine() and not is_sparse
            continue
        is_open = False
        if is_stateless(step):
            continue
        if not hasattr(step, "partial_fit"):
            raise InvalidParameterError(
                f"{type(step).__name__} cannot learn from blocks of rows: it has no partial_fit. "
                "Leave it out and fit it on a sample of rows that fits into memory, or take a step "
                "that has one."
            )
        if reading.stream.weights is not None and "sample_weight" not in _takes(step):
            raise InvalidParameterError(
                f"{type(step).__name__} takes no sample_weight. Leave the weights out, or the step."
            )
        n_passes += 2 if _asks_for_classes(step, reading) else 1
    if n_passes > 1 and not reading.stream.source.is_rereadable:
        raise reading.stream.exhausted(n_passes)


def is_stateless(step: Any) -> bool:
    """Whether a step learns nothing from the values of rows."""
    if isinstance(step, TableTransformer):
        return not isinstance(step, StatisticTransformer) and not hasattr(step, "partial_fit")
    return not get_tags(step).requires_fit


class StreamedRows:
    """The rows of a stream once they have gone through fitted steps, as a chain sees them.

    Parameters
    ----------
    reading : Reading
    steps : sequence of estimators
        Those that the rows will come to.
    through : tuple of estimators
        Those that they have gone through.
    """

    def __init__(self, reading: Reading, steps: Sequence[Any], through: tuple[Any, ...]) -> None:
        self.reading, self.through, self._steps = reading, through, steps
        self._known: Several | None = None
        self._head: Any = None

    @property
    def source(self) -> Any:
        """The first rows."""
        if self._head is None:
            head = self.reading.stream.head
            with self.reading.locating(head):
                self._head = transformed(head.rows, self.through)
        return self._head

    def occasion(self, n_features: int, is_sparse: bool) -> Occasion:
        return self.reading.occasion(n_features, is_sparse)

    def measured(self, kind: type) -> Any:
        """Statistic of the rows; all kinds that the steps will ask for come from one pass."""
        found = self._of(kind)
        if found is None:
            self._known = self._measure(kind)
            found = self._of(kind)
        if found is None or found.total == 0:
            raise NotCarried
        return found

    def _of(self, kind: type) -> Any:
        several = self._known
        if several is None:
            return None
        if kind is Moments and not several.is_wide:
            finer = (several.statistics.get(of) for of in (Scatter, Triangle))
            matrix = next((found for found in finer if found is not None), None)
            if matrix is not None:
                return matrix.moments()
        return several.statistics.get(kind)

    def _measure(self, kind: type) -> Several:
        draft = self._steps[0]._draft(keep=False)
        table = open_table(draft, self.source, reset=True)
        draft._dtype_ = table.dtype
        once = not self.reading.stream.source.is_rereadable
        occasion = self.occasion(table.shape[1], table.is_sparse)
        kinds: set[type] = set()
        if self._known is None:
            kinds = foreseen(self._steps, table, [occasion], with_refinements=once)
        # Moments follow from a matrix, unless there are integers that float64 cannot hold.
        if once or kind is not Moments or not kinds & {Scatter, Triangle}:
            kinds = kinds | {kind}
        draft._plan(occasion)
        step = max(draft._block_rows(table.shape[1]), *self._rows_of_block(table.shape[1]))
        measure = partial(of_kinds, frozenset(kinds))
        return self.reading.measure(draft, measure, step, self.through, self._refusing())

    def _refusing(self) -> str:
        """Name of the first of the steps measured together that takes no missing values."""
        shared = takewhile(is_shareable, self._steps)
        strict = (step for step in shared if not step._allow_missing)
        return type(next(strict, self._steps[0])).__name__

    def _rows_of_block(self, n_features: int) -> list[int]:
        shared = [0, 0]
        for step in self._steps:
            if not is_shareable(step):
                break
            shared.append(step._block_rows(n_features))
        return shared


def of_kinds(kinds: frozenset[Any], rows: Any, weights: Array | None) -> Several:
    """Statistics of several kinds; where there is none of one, that is an error."""
    found = {kind: kind.of(rows, weights) for kind in kinds}
    return Several(found, isinstance(rows, WideRows))


def fit_alone(step: Any, rows: StreamedRows) -> None:
    """Fit a step on a pass of its own."""
    if isinstance(step, StatisticTransformer):
        _fit_statistic(step, rows)
    elif is_stateless(step):
        step.fit(handed(step, rows.source))
    else:
        _fit_partially(step, rows)


def _fit_statistic(step: StatisticTransformer, rows: StreamedRows) -> None:
    """Fit one of ours that measures in a way of its own, or is to remember its rows."""
    draft = step._draft(keep=False)
    draft._check_parameters()
    reading = rows.reading
    with reading.locating(reading.stream.head):
        table = open_table(draft, rows.source, reset=True)
    draft._dtype_, n_features = table.dtype, table.shape[1]
    memory = MEMORY.get()

    def measure(block: Any, weights: Array | None) -> Several:
        statistic = draft._measure(block, weights)
        found: dict[type, Any] = {type(statistic): statistic}
        if memory is not None:
            counted = block if weights is None else block[weights > 0]
            found[RowSketch] = RowSketch.of(counted, key=memory.key, capacity=memory.capacity)
        return Several(found, isinstance(block, WideRows))

    def measured() -> Any:
        step_rows, method = draft._block_rows(n_features), type(step).__name__
        several = reading.measure(draft, measure, step_rows, rows.through, method)
        found = dict(several.statistics)
        if memory is not None:
            draft._row_sketch_ = found.pop(RowSketch)
        (statistic,) = found.values()
        return statistic

    occasion = rows.occasion(n_features, table.is_sparse)
    compute(draft._learn_from(occasion, measured))
    step._become(draft)


def _fit_partially(step: Any, rows: StreamedRows) -> None:
    """Fit an estimator of another kind by its own `partial_fit`, block by block."""
    reading = rows.reading

    def through(block: Block) -> tuple[Block, Any]:
        with reading.locating(block):
            if not block.n_rows:
                return block, None
            return block, handed(step, transformed(block.rows, rows.through))

    takes = _takes(step)
    step_rows = block_rows(reading.stream.n_features)
    params = {}
    if "classes" in takes and _is_labelled(reading):
        params["classes"] = _classes(reading, step_rows)
    with reading.results(through, step_rows) as blocks:
        for block, X in blocks:
            if X is None:
                continue
            if block.weights is not None and "sample_weight" in takes:
                params["sample_weight"] = block.weights
            with reading.locating(block):
                step.partial_fit(X, block.y, **params)


def _takes(step: Any) -> Mapping[str, Any]:
    return inspect.signature(step.partial_fit).parameters


def _asks_for_classes(step: Any, reading: Reading) -> bool:
    """Whether all rows must be read for their labels, before they are read for the step."""
    is_known = reading.stream.all_labels() is not None
    return "classes" in _takes(step) and _is_labelled(reading) and not is_known


def _is_labelled(reading: Reading) -> bool:
    """Whether the labels are those of classes.

    Raises
    ------
    InvalidParameterError
        If the first rows lack some, or any rows do, where all labels are known.
    """
    head = reading.stream.head
    y, known = head.y, reading.stream.all_labels()
    if y is not None:
        _check_labels(y, reading, head)
    if known is not None:
        _check_labels(known, reading)
    return y is not None and type_of_target(np.asarray(y)) in ("binary", "multiclass")


def _classes(reading: Reading, step_rows: int) -> Array:
    """All labels, which classifiers want to know before the first block."""
    y = reading.stream.all_labels()
    if y is None:

        def labels_of(block: Block) -> tuple[Block, Array]:
            _check_labels(block.y, reading, block)
            return block, np.unique(block.y)

        with reading.results(labels_of, step_rows) as found:
            y = np.concatenate([labels for _, labels in found])
    classes: Array = np.unique(y)
    return classes


def _check_labels(y: Any, reading: Reading, block: Block | None = None) -> None:
    """Refuse labels of a block, or of all rows, some of which are missing."""
    labels = np.asarray(y)
    if labels.dtype.kind not in "fO" or labels.ndim != 1:
        return
    is_float = labels.dtype.kind == "f"
    gone = np.isnan(labels) if is_float else [one is None for one in tables.objects_of(labels)]
    missing = np.flatnonzero(gone)
    if not len(missing):
        return
    stream = reading.stream
    name = f"y={stream.y!r}" if isinstance(stream.y, str) else "y"
    n_missing, n_rows = len(missing), len(labels)
    first = missing[0] + (0 if block is None else block.first_row)
    error = InvalidParameterError(
        f"{name} is missing in {n_missing} of {n_rows} rows, of which row {first} of all is the "
        "first. Classifiers need the label of every row: drop these rows, or fill in a label."
    )
    raise error if block is None else located(error, stream, block)

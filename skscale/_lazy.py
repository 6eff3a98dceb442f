"""Rows that are not there yet: learned from in one computation, mapped without any."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import reduce
from typing import Any, NamedTuple

import numpy as np

from skscale import _tables as tables
from skscale._admission import (
    MANY,
    Occasion,
    check_some_weights,
    check_weights,
    effective,
    weightless,
)
from skscale._jobs import compute
from skscale._learning import add, measure
from skscale._opening import open_table
from skscale._parameters import is_real
from skscale._provenance import Memory, memory_for, recorded, remembering
from skscale._reduce import computed_reduction
from skscale._tables import LazyTable
from skscale.errors import SampleWeightError
from skscale.statistics import RowSketch, Statistic


class Part(NamedTuple):
    """What comes back of chunks: their statistic, and how many rows they have.

    Parameters
    ----------
    statistic : Statistic
    n_rows : int
    n_counted : int
        Rows whose weight is not zero.
    sketch : RowSketch or None
        Of the rows, where a transformer is to remember them.
    """

    statistic: Statistic
    n_rows: int
    n_counted: int
    sketch: RowSketch | None

    @property
    def n_effective(self) -> float:
        return max(float(self.n_counted), self.statistic.total)


# Learning ---------------------------------------------------------------------------------


def learn_lazily(draft: Any, X: Any, sample_weight: Any, earlier: Any, is_partial: bool) -> None:
    """Learn, as a draft, from a Dask array or DataFrame.

    The ordinary fit computes once. Of an unknown number of rows it is planned as for many. If
    there are so few that another kind of statistic is called for, they are computed once more;
    so are rows that turn out to need a finer one, in memory too.
    """
    table = tables.open_lazy(X)
    sample = open_table(draft, table.sample, reset=earlier is None)
    draft._dtype_ = sample.dtype
    n_features = sample.shape[1]
    rows = LazyRows(table, sample_weight, n_features)
    n_rows = MANY if rows.n_rows is None else rows.n_rows
    occasion = Occasion(n_rows, n_features, rows.n_effective, earlier, sample.is_sparse, is_partial)
    memory = memory_for(draft, begins=earlier is None)
    found: list[Part] = []

    def measured() -> Any:
        found[:] = [rows.measured(draft, memory)]
        return add(draft, earlier, found[0].statistic)

    def counted() -> Occasion:
        return occasion._replace(n_rows=found[0].n_rows, n_effective=found[0].n_effective)

    compute(draft._learn_from(occasion, measured, counted))
    if (sketch := found[0].sketch) is not None:
        before = vars(draft).get("_row_sketch_")
        draft._row_sketch_ = sketch if before is None else before.merge(sketch)


class LazyRows:
    """Chunks of rows and their weights, to be measured.

    Parameters
    ----------
    table : LazyTable
    sample_weight : number, Dask array or Series, array-like of shape (n_rows,), or None
    n_features : int
        Columns that are measured.
    """

    def __init__(self, table: LazyTable, sample_weight: Any, n_features: int) -> None:
        self.n_rows, self.n_effective = table.n_rows, float(MANY)
        self._table, self._n_features = table, n_features
        lazy, of_chunks = self._read_weights(sample_weight)
        self._collections = tables.optimized([table.source, *lazy])
        rows, *weights = map(tables.references, self._collections)
        numbers = range(table.n_chunks)
        self._chunks = list(zip(rows, *weights or [of_chunks], numbers, strict=True))

    def _read_weights(self, sample_weight: Any) -> tuple[list[Any], list[Any]]:
        """Weights as a collection, if they are one; or those of every chunk."""
        n_rows, n_chunks = self.n_rows, self._table.n_chunks
        if tables.is_lazy(sample_weight):
            return [tables.weights_of_chunks(sample_weight, self._table)], []
        if sample_weight is None or is_real(sample_weight):
            check_weights(sample_weight, 1)
            if n_rows is not None:
                self.n_effective = n_rows * max(
                    1.0, 1.0 if sample_weight is None else sample_weight
                )
            return [], [sample_weight] * n_chunks
        if n_rows is None:
            raise SampleWeightError(
                f"sample_weight is a {type(sample_weight).__name__}, and it is not known how many "
                "rows each chunk of X has. Pass a Dask array or Series with the chunks of X, such "
                f"as a column of it; or let them be computed: {tables.CHUNKS_UNKNOWN}"
            )
        weights: Any = check_weights(sample_weight, n_rows)
        self.n_effective = effective(weights, n_rows)
        return [], tables.cut_weights(weights, self._table)

    def measured(self, draft: Any, memory: Memory | None) -> Part:
        """Statistic of all rows, in one computation.

        Raises
        ------
        SampleWeightError
            If all weights are zero.
        ValueError
            If there are no rows.
        """
        learner = Learner(draft, self._table.sample, memory, self._n_features)
        part: Part = computed_reduction(learner, self._chunks, self._collections)
        if part.n_rows == 0:
            tables.check_shape(0, self._n_features)
        if part.statistic.total == 0:
            raise weightless()
        return part


class Learner:
    """Measures chunks of rows wherever they are, as if each was a table in memory.

    Parameters
    ----------
    draft : StatisticTransformer
        Planned.
    sample : table in memory
        With the columns of the chunks.
    memory : Memory or None
        How rows are remembered.
    n_features : int
        Columns that are measured.
    """

    def __init__(self, draft: Any, sample: Any, memory: Memory | None, n_features: int) -> None:
        self._draft = stripped(draft, keep_statistic=False)
        agree(self._draft, sample)
        self._memory, self._n_features = memory, n_features

    def measure(self, chunk: Any, sample_weight: Any, number: int) -> Part:
        """Statistic of a chunk; that of no rows is the identity."""
        n_rows = tables.count_rows(chunk)
        draft = self._draft._draft(keep=True)  # of this thread alone
        with in_chunk(number), remembering(self._memory):
            if n_rows == 0:
                nothing = draft._measure(np.empty((0, self._n_features)), None)
                return Part(nothing, 0, 0, None)
            table, weights = open_table(draft, chunk), check_some_weights(sample_weight, n_rows)
            with recorded(draft, table, weights, begins=True) as note:
                statistic = measure(draft, table, weights, note)
        n_counted = n_rows if weights is None else int(np.count_nonzero(weights))
        return Part(statistic, n_rows, n_counted, vars(draft).get("_row_sketch_"))

    def merge(self, earlier: Part, later: Part) -> Part:
        """What is known of both."""
        check_some_weights([earlier.statistic.total, later.statistic.total], 2)  # have a sum
        sketches = [part.sketch for part in (earlier, later) if part.sketch is not None]
        with self._draft._products:
            return Part(
                earlier.statistic.merge(later.statistic),
                earlier.n_rows + later.n_rows,
                earlier.n_counted + later.n_counted,
                reduce(RowSketch.merge, sketches) if sketches else None,
            )


# Mapping ----------------------------------------------------------------------------------


def map_lazily(transformer: Any, X: Any, method: str) -> Any:
    """What a method makes of every chunk of a Dask array or DataFrame, which is not computed.

    A frame becomes a frame, an array an array, or a frame if `set_output` asks for one. What is
    wrong with the columns is found now, by doing it to a sample of them.
    """
    table, given = tables.open_lazy(X), tables.output_kind(transformer)
    asked, of_chunks = tables.kinds_of_chunks(given, table)
    worker = stripped(transformer, keep_statistic=transformer._columnwise)
    images = {}
    for kind in dict.fromkeys((asked, of_chunks)):
        worker._sklearn_output_config = {"transform": kind}
        images[kind] = getattr(worker, method)(table.sample, True)
    names, image = getattr(images[asked], "columns", None), images[of_chunks]
    if method == "_transform":
        agree(worker, table.sample)
    return tables.map_chunks(table, map_chunk, Mapper(worker, method, image[:0]), image, names)


class Mapper:
    """Maps chunks of rows wherever they are, as if each was a table in memory.

    Parameters
    ----------
    transformer : TableTransformer
        Fitted.
    method : str
        Name of one of its methods, of a table and of whether to copy it.
    nothing : array, sparse array or DataFrame
        What becomes of no rows.
    """

    def __init__(self, transformer: Any, method: str, nothing: Any) -> None:
        self._transformer, self._method, self._nothing = transformer, method, nothing

    def map(self, chunk: Any, number: int) -> Any:
        """What becomes of a chunk."""
        if tables.count_rows(chunk) == 0:
            return self._nothing
        with in_chunk(number):
            image = getattr(self._transformer, self._method)(chunk, True)
        if hasattr(self._nothing, "columns"):
            image.columns = self._nothing.columns
        return image


def map_chunk(chunk: Any, mapper: Mapper, block_id: Any = None, partition_info: Any = None) -> Any:
    """What becomes of a chunk of an array or of a frame, which Dask says the place of."""
    return mapper.map(chunk, partition_info["number"] if block_id is None else block_id[0])


# Chunks -----------------------------------------------------------------------------------


def stripped(transformer: Any, *, keep_statistic: bool) -> Any:
    """A copy to be sent to workers, without what they have no use for."""
    copy = transformer._draft(keep=True)
    useless = {"_row_sketch_", "_skl_callbacks"} | (set() if keep_statistic else {"statistic_"})
    copy.__dict__ = {name: value for name, value in vars(copy).items() if name not in useless}
    return copy


def agree(transformer: Any, sample: Any) -> None:
    """Let a copy have names if a table has, so that scikit-learn has no warning for every chunk.

    That about the table has been given.
    """
    names = tables.column_names(sample)
    vars(transformer).pop("feature_names_in_", None)
    if names is not None and all(isinstance(name, str) for name in names):
        transformer.feature_names_in_ = np.array(names, dtype=object)


@contextmanager
def in_chunk(number: int) -> Iterator[None]:
    """Errors about the rows of a chunk begin with its number."""
    try:
        yield
    except (TypeError, ValueError) as error:
        error.args = (f"In partition {number}: {error}",)
        raise

"""Passes over a stream: what every block leaves behind, merged in order, on all cores."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from sklearn import config_context, get_config

from skscale import _tables as tables
from skscale._admission import Occasion, effective, weightless
from skscale._blas import single_threaded_blas
from skscale._blocks import measure_table, stored_rows
from skscale._kernels import Array
from skscale._opening import open_table
from skscale._reduce import GRAIN, cut, mapped_stream
from skscale._several import Several
from skscale._threads import allowed_threads, thread_limit
from skscale.errors import SchemaError
from skscale.streaming._checkpoint import Checkpoint
from skscale.streaming._handing import handed
from skscale.streaming._progress import Progress
from skscale.streaming._stream import Block, Stream, locating


class Reading:
    """A stream that is read once or several times.

    Parameters
    ----------
    stream : Stream
    progress : Progress
        Told of every block.
    checkpoint : Checkpoint
        Where what was measured is kept, should the reading be interrupted.
    """

    def __init__(self, stream: Stream, progress: Progress, checkpoint: Checkpoint) -> None:
        self.stream, self._progress, self._checkpoint = stream, progress, checkpoint
        self.n_passes = 0
        self._scratch = tables.Scratch()

    def occasion(self, n_features: int, is_sparse: bool = False) -> Occasion:
        """What a fit knows of the rows before it measures them."""
        n_rows, weights = self.stream.n_rows_ahead, self.stream.all_weights()
        n_effective = effective(weights, n_rows)
        return Occasion(n_rows, n_features, n_effective, None, is_sparse)

    def measure(
        self,
        draft: Any,
        measure: Callable[[Any, Array | None], Several],
        step: int,
        through: tuple[Any, ...],
        method: str,
    ) -> Several:
        """Statistics of all rows.

        Parameters
        ----------
        draft : StatisticTransformer
            Which has learned the columns, and decides what tables it reads.
        measure : callable
            From a block of floats and its weights to what it leaves behind.
        step : int
            Rows of a block.
        through : tuple of transformers
            Fitted ones that the rows go through before.
        method : str
            Name of the transformer that takes no missing values, for messages.
        """
        dtype = draft._dtype_

        def of_block(block: Block) -> tuple[Block, Several | None]:
            if block.n_rows == 0 or self._checkpoint.recognizes(number, block):
                return block, None
            with thread_limit(1), self.locating(block):
                table = open_table(draft, transformed(block.rows, through))
                if table.dtype != dtype:
                    raise SchemaError(
                        f"its numbers are {table.dtype}, and those of the first block {dtype}. "
                        f"Make all blocks {dtype}."
                    )
                rows = (
                    stored_rows(table.source) if table.is_sparse and draft._reads_stored else step
                )
                with tables.one_block_at_a_time(self._scratch):
                    return block, measure_table(table, block.weights, measure, rows, method)

        number = self.n_passes
        self.n_passes += 1
        self._checkpoint.enter(number, through)
        known = self._checkpoint.finished(number)
        if known is not None:
            return known
        tree, n_blocks, n_rows = self._checkpoint.begun(number)
        with single_threaded_blas, self.results(of_block, step, n_blocks, n_rows) as parts:
            for block, part in parts:
                if part is not None:
                    tree.add(part)
                self._checkpoint.note(tree, block)
        self._checkpoint.check_end(number)
        several = tree.merged()
        if all(statistic.total == 0 for statistic in several.statistics.values()):
            raise weightless()
        self._checkpoint.finish(several)
        return several

    @contextmanager
    def results(
        self,
        function: Callable[[Block], tuple[Block, Any]],
        step: int,
        n_blocks: int = 0,
        n_rows: int = 0,
    ) -> Iterator[Iterator[tuple[Block, Any]]]:
        """What a function makes of every block, in order, while later blocks are read."""
        blocks, source = self.stream.blocks(step, n_blocks, n_rows), self.stream.source
        head = self.stream.head
        is_small = source.is_cut and head.n_rows * self.stream.n_features < GRAIN
        workers = 1 if is_small else allowed_threads()  # which small blocks would only wait for
        is_counted = source.n_rows is not None and not source.is_cut
        n_left = len(cut((source.n_rows or 0) - n_rows, step)) if is_counted else None
        self._progress.begin(source.n_rows, n_left, n_rows)
        config = get_config()  # which threads do not inherit

        def as_configured(block: Block) -> tuple[Block, Any]:
            with config_context(**config):
                return function(block)

        try:
            with mapped_stream(as_configured, blocks, workers, workers) as found:
                yield self._told(found)
        finally:
            self._progress.end()

    def _told(self, found: Iterator[tuple[Block, Any]]) -> Iterator[tuple[Block, Any]]:
        for block, result in found:
            yield block, result
            told = {"X": block.rows, "y": block.y, "metadata": {"sample_weight": block.weights}}
            self._progress.advance(block.n_rows, **(told if block.n_rows else {}))

    def locating(self, block: Block) -> AbstractContextManager[None]:
        """Errors about the rows of a block say which it is."""
        return locating(self.stream, block)


def transformed(rows: Any, through: tuple[Any, ...]) -> Any:
    """Rows once they have gone through fitted transformers."""
    for step in through:
        rows = step.transform(handed(step, rows))
    return rows

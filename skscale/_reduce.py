"""Engines: how blocks of rows become one statistic, or one output, on one or more cores.

Every engine works on the same blocks in the same order and merges along the same tree, so
the bits of a result depend on the rows and never on the engine or the number of threads.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Generic, TypeVar
from uuid import uuid4

import numpy as np

from skscale._blas import single_threaded_blas
from skscale._threads import allowed_threads

Part = TypeVar("Part")
Block = TypeVar("Block")

BLOCK = 2**20
"""Numbers in one block: 8 MB of float64, so that merging costs little beside measuring."""

PAYS = 2**21
"""Numbers from which threads pay.

To start and end a pool takes 0.2 ms; a compiled loop, which needs 0.7 ns for a number that it
measures and twice that for one that it maps, spends 1.5 ms on so many and can save half of it.
"""

GRAIN = 2**17
"""Numbers in a block from which threads pay: smaller ones spend their time on the interpreter."""


def cut(n_rows: int, step: int) -> list[slice]:
    """Consecutive blocks of `step` rows; the remainder joins the last one."""
    starts = range(0, max(n_rows - step, 0) + 1, step)
    stops = [*starts[1:], n_rows]
    return [slice(start, stop) for start, stop in zip(starts, stops, strict=True)]


def block_rows(n_features: int) -> int:
    """Rows of a block of about `BLOCK` numbers."""
    return max(1, BLOCK // max(1, n_features))


class MergeTree(Generic[Part]):
    """Ordered parts, merged along a balanced tree as they come, holding O(log n) of them.

    Neighbours merge as soon as both stand for the same number of parts, as carries do in a
    binary counter. A balanced tree also loses fewer digits than a running merge.

    Parameters
    ----------
    merge : callable
        From an earlier and a later part to one that stands for both.
    pending : iterable of (int, part), default=()
        What such a tree held: for how many parts each of its own stands.
    """

    def __init__(
        self, merge: Callable[[Part, Part], Part], pending: Iterable[tuple[int, Part]] = ()
    ) -> None:
        self._merge = merge
        self.pending = list(pending)

    def add(self, part: Part) -> None:
        """Add the part that follows."""
        size = 1
        while self.pending and self.pending[-1][0] == size:
            part = self._merge(self.pending.pop()[1], part)
            size *= 2
        self.pending.append((size, part))

    def merged(self) -> Part:
        """All parts as one.

        Raises
        ------
        ValueError
            If there are no parts.
        """
        if not self.pending:
            raise ValueError("there is nothing to reduce")
        *earlier, (_, part) = self.pending
        for _, before in reversed(earlier):
            part = self._merge(before, part)
        return part


def tree_reduce(parts: Iterable[Part], merge: Callable[[Part, Part], Part]) -> Part:
    """Merge ordered parts along a balanced tree.

    Raises
    ------
    ValueError
        If there are no parts.
    """
    tree = MergeTree(merge)
    for part in parts:
        tree.add(part)
    return tree.merged()


def computed_reduction(worker: Any, chunks: Sequence[tuple[Any, ...]], collections: Any) -> Any:
    """Reduce chunks of collections of Dask, in one computation, by whatever scheduler it has.

    The graph is written by hand: `delayed` takes six times as long for 10,000 chunks.

    Parameters
    ----------
    worker : object
        Its `measure` makes a part of each chunk, and its `merge` one of two. In the graph once.
    chunks : sequence of tuples
        Arguments of `measure`, which may be references to chunks of the collections.
    collections : sequence of Dask collections
    """
    from dask.delayed import Delayed
    from dask.task_spec import DataNode, Task, TaskRef

    token = uuid4().hex
    graph: dict[Any, Any] = {}
    for collection in collections:
        graph.update(collection.__dask_graph__())
    shared = f"skscale-worker-{token}"
    graph[shared] = DataNode(shared, worker)

    def call(method: Any, *arguments: Any) -> Any:
        key = (f"skscale-{method.__name__}-{token}", len(graph))
        graph[key] = Task(key, method, TaskRef(shared), *arguments)
        return TaskRef(key)

    measure, merge = type(worker).measure, type(worker).merge
    parts = (call(measure, *chunk) for chunk in chunks)
    total = tree_reduce(parts, lambda earlier, later: call(merge, earlier, later))
    return Delayed(total.key, graph).compute()


@contextmanager
def mapped_blocks(
    function: Callable[[Block], Part], blocks: list[Block], size: int
) -> Iterator[Iterator[Part]]:
    """Results of `function` on every block, in order; nothing is left running afterwards.

    Parameters
    ----------
    function : callable
        Takes a block. It may run in another thread, under the caller's rules for
        floating-point errors; what it raises is raised here, the first block's first.
    blocks : list
        Blocks of rows: slices, or whatever stands for some.
    size : int
        Numbers in all blocks together, which decides whether threads pay.
    """
    pays = len(blocks) > 1 and size >= max(PAYS, GRAIN * len(blocks))
    workers = min(len(blocks), allowed_threads()) if pays else 1
    with mapped_stream(function, blocks, workers, 2 * workers) as results:
        yield results


@contextmanager
def mapped_stream(
    function: Callable[[Block], Part], blocks: Iterable[Block], workers: int, ahead: int
) -> Iterator[Iterator[Part]]:
    """Results of `function` on blocks as they come, in order; nothing is left running afterwards.

    Parameters
    ----------
    function : callable
        As of `mapped_blocks`.
    blocks : iterable
        Drawn in the caller's thread, while earlier ones are worked on.
    workers : int
        Threads; 1 is the caller's own.
    ahead : int
        Blocks that may have been drawn and not yet been yielded the results of.
    """
    # Squares that vanish are expected, and looked after.
    with np.errstate(under="ignore"), in_threads(function, blocks, workers, ahead) as results:
        yield results


@contextmanager
def in_threads(
    function: Callable[[Block], Part], blocks: Iterable[Block], workers: int, ahead: int
) -> Iterator[Iterator[Part]]:
    """As `mapped_stream`, and the caller's rules for floating-point errors stay as they are.

    For generators, between whose results somebody else's code runs.
    """
    if workers == 1:
        yield map(function, blocks)
        return
    pool = ThreadPoolExecutor(workers, "skscale", _prepare, (np.geterr(), np.geterrcall()))
    try:
        yield _in_order(pool, function, blocks, ahead)
    finally:
        pool.shutdown(cancel_futures=True)


def _prepare(errors: Any, callback: Any) -> None:
    """Make a worker's thread like the caller's."""
    np.seterr(**errors)
    np.seterrcall(callback)
    single_threaded_blas.confine()


def _in_order(
    pool: ThreadPoolExecutor,
    function: Callable[[Block], Part],
    blocks: Iterable[Block],
    ahead: int,
) -> Iterator[Part]:
    """Results in the order of the blocks, of which no more are begun than so many ahead."""
    waiting: deque[Future[Part]] = deque()
    for block in blocks:
        waiting.append(pool.submit(function, block))
        if len(waiting) > ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()

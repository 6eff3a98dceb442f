"""Engines: how blocks of rows become one statistic, or one output, on one or more cores.

Every engine works on the same blocks in the same order and merges along the same tree, so
the bits of a result depend on the rows and never on the engine or the number of threads.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from joblib import effective_n_jobs
from threadpoolctl import ThreadpoolController

Part = TypeVar("Part")

BLOCK = 2**19
"""Numbers in one block: 4 MB of float64, so that merging costs little beside measuring."""

PAYS = 2**20
"""Numbers from which threads gain more than they cost."""


def cut(n_rows: int, step: int) -> list[slice]:
    """Consecutive blocks of `step` rows; the remainder joins the last one."""
    starts = range(0, max(n_rows - step, 0) + 1, step)
    stops = [*starts[1:], n_rows]
    return [slice(start, stop) for start, stop in zip(starts, stops, strict=True)]


def block_rows(n_features: int) -> int:
    """Rows of a block of about `BLOCK` numbers."""
    return max(1, BLOCK // max(1, n_features))


def tree_reduce(parts: Iterable[Part], merge: Callable[[Part, Part], Part]) -> Part:
    """Merge ordered parts along a balanced tree, holding O(log n) of them.

    Neighbours merge as soon as both stand for the same number of parts, as carries do in a
    binary counter. A balanced tree also loses fewer digits than a running merge.

    Raises
    ------
    ValueError
        If there are no parts.
    """
    pending: list[tuple[int, Part]] = []
    for part in parts:
        size = 1
        while pending and pending[-1][0] == size:
            part = merge(pending.pop()[1], part)
            size *= 2
        pending.append((size, part))
    if not pending:
        raise ValueError("there is nothing to reduce")
    part = pending.pop()[1]
    while pending:
        part = merge(pending.pop()[1], part)
    return part


def map_blocks(function: Callable[[slice], Part], blocks: list[slice], size: int) -> Iterator[Part]:
    """Results of `function` on every block, in order.

    Parameters
    ----------
    function : callable
        Takes a slice of rows. It may run in another thread; what it raises is raised here.
    blocks : list of slice
        Blocks of rows.
    size : int
        Numbers in all blocks together, which decides whether threads pay.
    """
    workers = min(len(blocks), effective_n_jobs(-1)) if size >= PAYS and len(blocks) > 1 else 1
    # One thread for BLAS in either case: its bits depend on how many it has.
    with single_threaded_blas:
        if workers == 1:
            yield from map(function, blocks)
            return
        with ThreadPoolExecutor(workers, thread_name_prefix="skscale") as pool:
            waiting: deque[Future[Part]] = deque()
            try:
                for block in blocks:
                    waiting.append(pool.submit(function, block))
                    if len(waiting) > 2 * workers:  # no more results alive than are needed
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:
                for task in waiting:
                    task.cancel()


class _SingleThreadedBlas:
    """BLAS held to one thread while anybody is inside, whichever thread leaves last.

    The limit is of the whole process: each for himself, two overlapping fits would restore the
    limit of one another and leave it behind.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._limit: Any = None
        self._controller: Any = None

    def __enter__(self) -> None:
        with self._lock:
            if self._inside == 0:
                self._controller = self._controller or ThreadpoolController()
                self._limit = self._controller.limit(limits=1, user_api="blas")
                self._limit.__enter__()
            self._inside += 1

    def __exit__(self, *exception: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._limit.__exit__(*exception)


single_threaded_blas = _SingleThreadedBlas()

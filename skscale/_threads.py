"""How many threads a fit or a transform may use: decided here and nowhere else."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from joblib import cpu_count
from joblib.parallel import SequentialBackend, get_active_backend

from skscale._parameters import check_parameter, integer
from skscale.errors import InvalidParameterError

_chosen: ContextVar[int | None] = ContextVar("skscale_thread_limit", default=None)


@contextmanager
def thread_limit(n_threads: int) -> Iterator[None]:
    """Use at most so many threads for `fit`, `transform` and `inverse_transform`.

    Results do not depend on it, only the time they take. Without it, the `n_jobs` of an active
    `joblib.parallel_config` counts; without that, all cores that the process may use, or
    ``OMP_NUM_THREADS`` if that is less, and inside a worker of joblib what joblib has left to it.

    Parameters
    ----------
    n_threads : int
        At least 1, which means that no thread is started.

    Raises
    ------
    InvalidParameterError
        If `n_threads` is anything else.

    Notes
    -----
    The innermost limit counts. It holds in the thread (or asynchronous task) that set it, and not
    in threads and processes that are started inside. Tables of less than two million numbers
    are worked on in the caller's thread whatever the limit. Matrix products inside a block never
    use threads of their own.

    Examples
    --------
    >>> import numpy as np
    >>> import skscale
    >>> rows = np.random.default_rng(0).normal(size=(60_000, 40))
    >>> with skscale.thread_limit(1):
    ...     alone = skscale.StandardScaler().fit(rows)
    >>> bool((alone.mean_ == skscale.StandardScaler().fit(rows).mean_).all())
    True
    """
    check_parameter("thread_limit", "n_threads", integer(1), n_threads)
    earlier = _chosen.set(int(n_threads))
    try:
        yield
    finally:
        _chosen.reset(earlier)


def allowed_threads() -> int:
    """Threads that the caller may use, itself waiting: the first that says a number is obeyed.

    These are `thread_limit`, the `n_jobs` of joblib's configuration, and the share of the machine
    that is this thread's.

    Raises
    ------
    InvalidParameterError
        If joblib's `n_jobs` is 0, which joblib refuses too.
    """
    chosen = _chosen.get()
    if chosen is not None:
        return chosen
    backend, n_jobs = get_active_backend()
    if isinstance(backend, SequentialBackend):
        return 1
    if n_jobs is None:  # nobody chose; `effective_n_jobs(None)` would not tell it from 1
        return _share(backend)
    n_jobs = int(n_jobs)
    if n_jobs == 0:
        raise InvalidParameterError(
            "The 'n_jobs' parameter of parallel_config must be an int other than 0. "
            "Got 0 instead. Use 1 for no threads, or -1 for all cores."
        )
    return n_jobs if n_jobs > 0 else max(1, _share(backend) + 1 + n_jobs)


def _share(backend: Any) -> int:
    """Cores that are left to this thread: all, or what remains in a worker of joblib.

    A process that joblib starts is told its share by ``OMP_NUM_THREADS``, as the jobs of most
    schedulers are. Its threads, and the daemonic processes of a `multiprocessing` pool, are told
    nothing: the other cores are taken to be busy with their like.
    """
    in_worker = bool(backend.nesting_level)
    in_thread = threading.current_thread() is not threading.main_thread()
    if multiprocessing.current_process().daemon or (in_worker and in_thread):
        return 1
    announced = _announced()
    if announced is None:
        return 1 if in_worker else int(cpu_count())
    return min(announced, int(cpu_count()))


def _announced() -> int | None:
    """The first number of ``OMP_NUM_THREADS``, which may list one per level of nesting."""
    first = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    return int(first) if first.isdecimal() and int(first) > 0 else None

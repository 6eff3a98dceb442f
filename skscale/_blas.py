"""BLAS held to one thread: against oversubscription, and because its bits depend on how many."""

from __future__ import annotations

import os
import threading
from typing import Any

from threadpoolctl import OpenBLASController, ThreadpoolController


class _SingleThreaded:
    """The libraries of one kind, held to one thread while anybody is inside.

    The limit of most libraries is one of the whole process: the first who comes sets it, and
    whoever leaves last restores what was found, in whatever thread. Others (MKL, OpenBLAS on
    OpenMP) keep one limit per thread: there, each thread inside sets and restores its own.

    Parameters
    ----------
    user_api : str
        The kind, in the words of threadpoolctl.
    """

    def __init__(self, user_api: str) -> None:
        self._user_api = user_api
        self._lock = threading.Lock()
        self._libraries: tuple[list[Any], list[Any]] | None = None
        self._inside = 0
        self._found: list[tuple[Any, int]] = []
        self._thread = threading.local()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(
                before=self._lock.acquire,
                after_in_parent=self._lock.release,
                after_in_child=self._forget_other_threads,
            )

    def __enter__(self) -> None:
        with self._lock:
            if self._libraries is None:
                self._libraries = self._find()
            of_process, of_thread = self._libraries
            if self._inside == 0:
                self._found = _limit(of_process)
            self._inside += 1
        depth = getattr(self._thread, "depth", 0)
        if depth == 0:
            self._thread.found = _limit(of_thread)
        self._thread.depth = depth + 1

    def __exit__(self, *exception: object) -> None:
        self._thread.depth -= 1
        if self._thread.depth == 0:
            _restore(self._thread.found)
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._restore_process()

    def confine(self) -> None:
        """Hold a thread that works for somebody inside to one thread, until it ends."""
        if self._inside and self._libraries is not None:
            _limit(self._libraries[1])

    def _find(self) -> tuple[list[Any], list[Any]]:
        """The libraries whose limit is one of the process, and those with a limit per thread."""
        of_process: list[Any] = []
        of_thread: list[Any] = []
        for library in ThreadpoolController().select(user_api=self._user_api).lib_controllers:
            (of_thread if _limits_only_this_thread(library) else of_process).append(library)
        return of_process, of_thread

    def _restore_process(self) -> None:
        if self._found:
            _release_control()
            _restore(self._found)
            _release_control()
            self._found = []

    def _forget_other_threads(self) -> None:
        """In a forked process there are no other threads, nor will they ever leave."""
        self._inside = getattr(self._thread, "depth", 0)
        if self._inside == 0:
            self._restore_process()
        self._lock.release()


def _limit(libraries: list[Any]) -> list[tuple[Any, int]]:
    """Hold libraries to one thread; those that obey, with the numbers that they had."""
    found = [(library, library.num_threads) for library in libraries]
    found = [(library, n_threads) for library, n_threads in found if (n_threads or 1) > 1]
    for library, _ in found:
        library.set_num_threads(1)
    return [(library, n_threads) for library, n_threads in found if library.num_threads == 1]


def _restore(found: list[tuple[Any, int]]) -> None:
    for library, n_threads in found:
        library.set_num_threads(n_threads)


def _release_control() -> None:
    """Let the next thread that sets the limit of OpenBLAS be heard, whichever it is.

    threadpoolctl 3.8 silently ignores all but the thread that set the limit first.
    """
    release = getattr(OpenBLASController, "clear_controlling_thread", None)
    if release is not None:
        release(force=True)


def _limits_only_this_thread(library: Any) -> bool:
    """Whether another thread still sees more threads than this one, which was limited."""
    limited, seen = _limit([library]), []
    reader = threading.Thread(target=lambda: seen.append(library.num_threads))
    reader.start()
    reader.join()
    is_other = seen[0] != library.num_threads
    _restore(limited)
    return is_other


single_threaded_blas = _SingleThreaded("blas")

"""How far a stream has been read: a line in the terminal, and scikit-learn's callbacks."""

from __future__ import annotations

import sys
from collections.abc import Callable
from time import monotonic
from typing import Any

EVERY = 0.2
"""Seconds between two states of the line."""


class Progress:
    """Counts rows and blocks, and shows them where somebody looks.

    Parameters
    ----------
    is_shown : bool
        Whether to write to standard error, if that is a terminal.
    begin_pass : callable, default=None
        Called with the number of blocks, if that is known; what it returns, with every block.
    """

    def __init__(
        self, is_shown: bool, begin_pass: Callable[[int | None], Callable[..., None]] | None = None
    ) -> None:
        self._is_shown = is_shown and sys.stderr is not None and sys.stderr.isatty()
        self._begin_pass = begin_pass
        self._tell: Callable[..., None] | None = None
        self._n_passes = 0

    def begin(self, n_rows: int | None, n_blocks: int | None, n_known: int) -> None:
        """Begin a pass over so many rows and blocks, if that is known; some rows are not read."""
        self._total, self._first, self._rows, self._blocks = n_rows, n_known, n_known, 0
        if self._begin_pass is not None:
            self._tell = self._begin_pass(n_blocks)
        self._n_passes += 1
        self._start = self._shown = monotonic()

    def advance(self, n_rows: int, **told: Any) -> None:
        """Count one more block, and tell of what is in it."""
        self._rows += n_rows
        self._blocks += 1
        if self._tell is not None:
            self._tell(**told)
        if self._is_shown and monotonic() - self._shown >= EVERY:
            self._write("\r", "")

    def end(self) -> None:
        """End the pass, and the line."""
        if self._is_shown:
            self._write("\r", "\n")

    def _write(self, start: str, end: str) -> None:
        self._shown = monotonic()
        text = describe(
            self._rows, self._first, self._total, self._blocks, self._shown - self._start
        )
        if self._n_passes > 1:
            text = f"pass {self._n_passes}: {text}"
        sys.stderr.write(f"{start}{text:<79}{end}")
        sys.stderr.flush()


def describe(n_rows: int, n_known: int, total: int | None, n_blocks: int, seconds: float) -> str:
    """A line that says how far reading has come, how fast, and how long it will take."""
    rate = (n_rows - n_known) / seconds if seconds > 0 else 0.0
    of = f" of {total:,}" if total is not None else ""
    text = f"{n_rows:,}{of} rows, {n_blocks:,} blocks, {rate:,.0f} rows/s"
    if total is not None and rate > 0:
        text += f", {_clock((total - n_rows) / rate)} left"
    return text


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(max(seconds, 0.0)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"

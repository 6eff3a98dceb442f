"""What was measured of a stream, and how far it was read, in a file from which to go on.

Kept are the parts of the merge tree, not their union, so that a fit that goes on gives the bits of
one that was never interrupted.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
from collections.abc import Mapping
from pathlib import Path
from time import monotonic
from typing import Any

from skscale import statistics
from skscale._reduce import MergeTree
from skscale._several import Several
from skscale.errors import CheckpointError, SourceError, StatisticBytesError
from skscale.streaming._stream import Block

EVERY = 30.0
"""Seconds between two states of the file."""

MAGIC = b"skscale checkpoint 1\n"


class Checkpoint:
    """The file of a fit that may be interrupted; or none, if there is no path.

    Parameters
    ----------
    path : str, path or None
    of : mapping
        What the fit is of: another fit does not go on from this file.

    Raises
    ------
    CheckpointError
        If the file is damaged, or of another fit.
    """

    def __init__(self, path: Any, of: Mapping[str, Any]) -> None:
        self._path = None if path is None else Path(path)
        self._of = json.loads(json.dumps(of))
        self._finished: list[Several] = []
        self._begun: tuple[list[tuple[int, Several]], int, int] | None = None
        self._written = monotonic()
        if self._path is not None and self._path.exists():
            self._load(self._path.read_bytes())

    def finished(self, number: int) -> Several | None:
        """What was measured in a pass, if it has ended."""
        return self._finished[number] if number < len(self._finished) else None

    def begun(self, number: int) -> tuple[MergeTree[Several], int, int]:
        """The merge tree of a pass, and the blocks and rows that are in it."""
        if self._begun is None or number != len(self._finished):
            return MergeTree(Several.merge), 0, 0
        pending, n_blocks, n_rows = self._begun
        return MergeTree(Several.merge, pending), n_blocks, n_rows

    def note(self, tree: MergeTree[Several], block: Block) -> None:
        """Take note of a block that was merged; now and then, write it down."""
        if self._path is not None:
            self._begun = list(tree.pending), block.number + 1, block.first_row + block.n_rows
            if monotonic() - self._written >= EVERY:
                self.write()

    def finish(self, several: Several) -> None:
        """Take note of the end of a pass."""
        self._finished.append(several)
        self._begun = None

    def write(self) -> None:
        """Replace the file by what is known now, as a whole or not at all.

        Raises
        ------
        SourceError
            If it cannot be written, after which block.
        """
        if self._path is None or (self._begun is None and not self._finished):
            return
        part = self._path.with_name(f".{self._path.name}.{os.getpid()}.part")
        try:
            with part.open("wb") as file:
                file.write(self._bytes())
                file.flush()
                os.fsync(file.fileno())
            part.replace(self._path)
        except OSError as error:
            part.unlink(missing_ok=True)
            n_blocks = 0 if self._begun is None else self._begun[1]
            raise SourceError(
                f"The checkpoint {self._path} could not be written after block {n_blocks - 1} "
                f"(counted from 0): {error}",
                n_blocks,
            ) from error
        self._written = monotonic()

    def remove(self) -> None:
        """Remove the file of a fit that has ended."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)

    # Bytes ------------------------------------------------------------------------------------

    def _bytes(self) -> bytes:
        blobs: list[bytes] = []

        def number_of(several: Several) -> dict[str, Any]:
            first = len(blobs)
            blobs.extend(statistic.to_bytes() for statistic in several.statistics.values())
            return {"first": first, "last": len(blobs), "is_wide": several.is_wide}

        pending, n_blocks, n_rows = self._begun or ([], 0, 0)
        header = {
            "of": self._of,
            "finished": [number_of(several) for several in self._finished],
            "pending": [[size, number_of(several)] for size, several in pending],
            "n_blocks": n_blocks,
            "n_rows": n_rows,
            "lengths": [len(blob) for blob in blobs],
        }
        text = json.dumps(header).encode()
        body = struct.pack("<Q", len(text)) + text + b"".join(blobs)
        return MAGIC + hashlib.sha256(body).digest() + body

    def _load(self, data: bytes) -> None:
        start = len(MAGIC) + 32
        body = data[start:]
        if not data.startswith(MAGIC) or hashlib.sha256(body).digest() != data[start - 32 : start]:
            raise CheckpointError(
                f"{self._path} is no checkpoint of this version, or damaged. Remove it to fit from "
                "the start."
            )
        (length,) = struct.unpack("<Q", body[:8])
        header = json.loads(body[8 : 8 + length])
        self._check(header["of"])
        blobs, place = [], 8 + length
        try:
            for size in header["lengths"]:
                blobs.append(statistics.from_bytes(body[place : place + size]))
                place += size
        except StatisticBytesError as error:
            raise CheckpointError(f"{self._path} cannot be read: {error}") from error

        def several(numbered: Mapping[str, Any]) -> Several:
            found = blobs[numbered["first"] : numbered["last"]]
            return Several({type(statistic): statistic for statistic in found}, numbered["is_wide"])

        self._finished = [several(numbered) for numbered in header["finished"]]
        pending = [(size, several(numbered)) for size, numbered in header["pending"]]
        if pending:
            self._begun = pending, header["n_blocks"], header["n_rows"]

    def _check(self, of: Mapping[str, Any]) -> None:
        for what, given in self._of.items():
            if of.get(what) != given:
                raise CheckpointError(
                    f"{self._path} is the checkpoint of another fit: its {what} was "
                    f"{of.get(what)!r}, and is {given!r} now. Remove it to fit from the start, or "
                    "give another path."
                )

"""What was measured of a stream, and how far it was read, in a file from which to go on.

Kept are the parts of the merge tree, not their union, so that a fit that goes on gives the bits of
one that was never interrupted.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from itertools import accumulate, pairwise
from pathlib import Path
from time import monotonic
from typing import Any, NamedTuple

from skscale import statistics
from skscale._reduce import MergeTree
from skscale._several import Several
from skscale.errors import CheckpointError, InvalidParameterError, SourceError
from skscale.streaming._identity import digest_of, learned
from skscale.streaming._stream import Block

EVERY = 30.0
"""Seconds between two states of the file."""

MAGIC = b"skscale checkpoint 1\n"


class Begun(NamedTuple):
    """How far a pass had come: what was pending in its merge tree, of how much, and up to where.

    The last block is read once more by who goes on, to see that the rows are the same.
    """

    number: int
    pending: list[tuple[int, Several]]
    n_blocks: int
    n_rows: int
    n_last: int
    digest: str = ""


class Checkpoint:
    """The file of a fit that may be interrupted; or none, if there is no path.

    Parameters
    ----------
    path : str, path or None
    of : callable
        Returns what the fit is of: another fit does not go on from this file.

    Raises
    ------
    InvalidParameterError
        If there can be no such file.
    CheckpointError
        If the file is damaged, or of another fit.
    """

    def __init__(self, path: Any, of: Callable[[], Mapping[str, Any]]) -> None:
        self._path = None if path is None else _path_of_file(path)
        self._through: list[str] = []  # what the steps had learned before each pass
        self._finished: list[Several] = []
        self._begun: Begun | None = None
        self._last: Block | None = None
        self._written = monotonic()
        if self._path is None:
            return
        self._of = of()
        if self._path.exists():
            self._load(self._path.read_bytes())

    def enter(self, number: int, through: tuple[Any, ...]) -> None:
        """Take note of a pass over rows that have gone through fitted steps.

        What was kept of rows that had gone through others is dropped.
        """
        if self._path is None:
            return
        digest = learned(through)
        if self._through[number : number + 1] != [digest]:
            self._through[number:] = [digest]
            self._finished[number:] = []
            self._begun = None

    def finished(self, number: int) -> Several | None:
        """What was measured in a pass, if it has ended."""
        return self._finished[number] if number < len(self._finished) else None

    def begun(self, number: int) -> tuple[MergeTree[Several], int, int]:
        """The merge tree of a pass, and the blocks and rows before the last one that is in it."""
        begun = self._begun
        if begun is None or number != begun.number:
            return MergeTree(Several.merge), 0, 0
        tree = MergeTree(Several.merge, begun.pending)
        return tree, begun.n_blocks - 1, begun.n_rows - begun.n_last

    def recognizes(self, number: int, block: Block) -> bool:
        """Whether a block is the last one that is in the merge tree, and not the one after it.

        Raises
        ------
        CheckpointError
            If it should be that one, and has other rows: the source is another one.
        """
        begun = self._begun
        if begun is None or number != begun.number or block.number >= begun.n_blocks:
            return False
        if digest_of(block) != begun.digest:
            raise self._other_rows(begun)
        return True

    def check_end(self, number: int) -> None:
        """Refuse a source that has not even the last block that is in the merge tree.

        Raises
        ------
        CheckpointError
        """
        if self._last is None and self._begun is not None and number == self._begun.number:
            raise self._other_rows(self._begun)

    def _other_rows(self, begun: Begun) -> CheckpointError:
        return CheckpointError(
            f"{self._path} is the checkpoint of a fit on other rows: its block "
            f"{begun.n_blocks - 1} (counted from 0), which ends with row {begun.n_rows - 1}, is "
            "not that of this source. Remove it to fit from the start, or give another path."
        )

    def note(self, tree: MergeTree[Several], block: Block) -> None:
        """Take note of a block that was merged; now and then, write it down."""
        if self._path is not None:
            n_rows = block.first_row + block.n_rows
            self._last = block
            self._begun = Begun(
                len(self._finished), [*tree.pending], block.number + 1, n_rows, block.n_rows
            )
            if monotonic() - self._written >= EVERY:
                self.write()

    def finish(self, several: Several) -> None:
        """Take note of the end of a pass."""
        self._finished.append(several)
        self._last = None

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
            n_blocks = 0 if self._begun is None else self._begun.n_blocks
            raise SourceError(
                f"The checkpoint {self._path} could not be written before block {n_blocks} "
                f"(counted from 0): {error}",
                n_blocks,
            ) from error
        finally:
            part.unlink(missing_ok=True)
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

        begun = self._begun
        if begun is None or begun.number != len(self._finished):
            begun = Begun(len(self._finished), [], 0, 0, 0)
        elif self._last is not None:  # a digest takes time, and is made of what is written down
            begun = begun._replace(digest=digest_of(self._last))
        header = {
            "of": self._of,
            "through": self._through,
            "finished": [number_of(several) for several in self._finished],
            "pending": [[size, number_of(several)] for size, several in begun.pending],
            "n_blocks": begun.n_blocks,
            "n_rows": begun.n_rows,
            "n_last": begun.n_last,
            "digest": begun.digest,
            "lengths": [len(blob) for blob in blobs],
        }
        text = json.dumps(header).encode()
        body = len(text).to_bytes(8, "little") + text + b"".join(blobs)
        return MAGIC + hashlib.sha256(body).digest() + body

    def _load(self, data: bytes) -> None:
        start = len(MAGIC) + 32
        body = data[start:]
        if not data.startswith(MAGIC) or hashlib.sha256(body).digest() != data[start - 32 : start]:
            raise CheckpointError(
                f"{self._path} is no checkpoint of this version, or damaged. Give another path, or "
                "remove it to fit from the start, if it is nothing else."
            )
        try:
            length = int.from_bytes(body[:8], "little")
            header = json.loads(body[8 : 8 + length])
            self._check(header["of"])
            self._restore(header, body[8 + length :])
        except CheckpointError:
            raise
        except (AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
            raise CheckpointError(f"{self._path} cannot be read: {error}") from error

    def _restore(self, header: Mapping[str, Any], data: bytes) -> None:
        cuts = accumulate(header["lengths"], initial=0)
        blobs = [statistics.from_bytes(data[start:stop]) for start, stop in pairwise(cuts)]

        def several(numbered: Mapping[str, Any]) -> Several:
            found = blobs[numbered["first"] : numbered["last"]]
            if not found:
                raise ValueError("it has no statistics")
            return Several({type(statistic): statistic for statistic in found}, numbered["is_wide"])

        self._through = [str(digest) for digest in header["through"]]
        self._finished = [several(numbered) for numbered in header["finished"]]
        pending = [(size, several(numbered)) for size, numbered in header["pending"]]
        if pending:
            n_blocks, n_rows, n_last = (
                int(header[name]) for name in ("n_blocks", "n_rows", "n_last")
            )
            if n_blocks < 1 or not 0 <= n_last <= n_rows:
                raise ValueError("it ends before the first block")
            digest = str(header["digest"])
            self._begun = Begun(len(self._finished), pending, n_blocks, n_rows, n_last, digest)

    def _check(self, of: Mapping[str, Any]) -> None:
        for what, given in self._of.items():
            if of.get(what) != given:
                raise CheckpointError(
                    f"{self._path} is the checkpoint of another fit: its {what} was "
                    f"{of.get(what)!r}, and is {given!r} now. Remove it to fit from the start, or "
                    "give another path."
                )


def _path_of_file(given: Any) -> Path:
    """A path where there may be a file."""
    is_path = isinstance(given, (str, os.PathLike))
    path = Path(given) if is_path else Path()
    if not path.parent.is_dir() or (path.exists() and not path.is_file()):
        raise InvalidParameterError(
            "checkpoint must be the path of a file, in a directory that is there; got "
            f"{str(given) if is_path else given!r}."
        )
    return path

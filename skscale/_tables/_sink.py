"""What a place for results is: written to block by block, in order; then finished or abandoned."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import sparse

from skscale._kernels import Array, narrow
from skscale._tables._read import is_frame, read
from skscale._tables._rows import count_rows


class Sink(ABC):
    """A place for results that come block by block, in order.

    Parameters
    ----------
    target : object
        What the caller gave.
    name : str
        What it is, for messages.
    """

    kept: str
    """What is left there if writing fails, for messages."""

    def __init__(self, target: Any, name: str) -> None:
        self.target, self.name = target, name

    @abstractmethod
    def prepare(self, result: Any, like: Any, names: Sequence[str] | None) -> Any:
        """What is to be written of a block, in whatever thread.

        Parameters
        ----------
        result : array, sparse array or frame
            What became of the block.
        like : array or frame
            The block.
        names : list of str or None
            Columns of the result, where it has no names of its own.
        """

    @abstractmethod
    def write(self, piece: Any) -> None:
        """Write the piece that follows."""

    @abstractmethod
    def finish(self) -> None:
        """Make what was written what the caller sees."""

    @abstractmethod
    def abandon(self) -> None:
        """Leave nothing behind that looks whole."""


def as_array(result: Any) -> Array:
    """Rows of any container as an array of two dimensions."""
    if sparse.issparse(result):
        return np.asarray(result.toarray())
    if is_frame(result):
        return narrow(read(result).rows(slice(0, count_rows(result))))
    array = np.asarray(result)
    return array.reshape(len(array), -1)

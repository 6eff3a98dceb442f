"""What tells one fit on a stream from another: estimators, source, and what stands beside it."""

from __future__ import annotations

import hashlib
import pickle
import re
import secrets
from collections.abc import Mapping
from typing import Any

import joblib
import numpy as np
from scipy import sparse

from skscale import _tables as tables
from skscale._chains import unfitted
from skscale._provenance import MEMORY
from skscale.streaming._stream import Block, Stream

ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
"""Where an object lies in memory, which another process does not repeat."""


def identity(transformer: Any, stream: Stream) -> Mapping[str, Any]:
    """What a fit has in common with one that goes on from where it was interrupted.

    A source may look the same from outside and have other rows; its first row tells.
    """
    names, source = stream.names, stream.source
    first_row = tables.slice_rows(stream.head.rows, 0, 1)
    return {
        "transformer": described(unfitted(transformer)),
        "number of columns": stream.n_features,
        "columns": None if names is None else [repr(name) for name in names],
        "source": described([source.identity, source.is_cut, source.is_rereadable]),
        "first row": described(first_row.toarray() if sparse.issparse(first_row) else first_row),
        "sample_weight": described(stream.weights),
        "y": described(stream.y),
        "memory of rows": described(MEMORY.get()),
    }


def described(value: Any) -> str:
    """A text that is the same for equal values, in every process."""
    kind = type(value)
    if hasattr(value, "get_params") and not isinstance(value, type):
        params = value.get_params(deep=False).items()
        inside = ", ".join(f"{name}={described(of)}" for name, of in sorted(params))
        return f"{kind.__module__}.{kind.__qualname__}({inside})"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(described, value))}]"
    if isinstance(value, dict):
        inside = ", ".join(f"{described(key)}: {described(of)}" for key, of in value.items())
        return f"{{{inside}}}"
    if hasattr(value, "shape") and hasattr(value, "__array__"):
        array = np.asarray(value)
        data = repr(array.tolist()).encode() if array.dtype == object else array.tobytes()
        return f"{array.dtype}{array.shape} {hashlib.sha256(data).hexdigest()[:32]}"
    if callable(value) and hasattr(value, "__qualname__"):
        return f"{value.__module__}.{value.__qualname__}"
    return ADDRESS.sub("", repr(value))


def digest_of(block: Block) -> str:
    """A text that is the same for blocks of the same rows, labels and weights."""
    rows: Any = block.rows
    if sparse.issparse(rows):
        rows = rows.tocsr()
        rows = [rows.indptr, rows.indices, rows.data]
    return described([rows, block.y, block.weights])


def learned(steps: tuple[Any, ...]) -> str:
    """A text that is the same for steps that have learned the same.

    A step may draw random numbers, and learn something else from the same rows.
    """
    found = [
        {name: value for name, value in vars(step).items() if name.endswith("_")} for step in steps
    ]
    try:
        return str(joblib.hash(found))
    except (AttributeError, TypeError, pickle.PicklingError):
        return secrets.token_hex()  # nobody can tell

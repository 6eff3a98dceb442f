"""Fits on a Parquet file, block by block, and what it takes to read that file and no more."""

import atexit
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.sides import Call, Make, Side
from skscale.streaming import fit_blocks

try:
    import pyarrow
    from pyarrow import parquet
except ImportError:
    pyarrow = parquet = None

ROW_GROUP = 1_000_000
"""Rows of a row group: what pyarrow writes by default."""

_written: dict[int, Path] = {}


def streaming(make: Make) -> Side | None:
    """Fit on the file."""
    return parquet and (lambda X: lambda: fit_blocks(make(), path_of(X)))


def fitting_batches(make: Make) -> Side | None:
    """Learn from one batch of the file after the other, as scikit-learn does."""
    return parquet and (lambda X: lambda: fit_batches(make(), path_of(X)))


def fit_batches(model: Any, path: Path) -> Any:
    """Call `partial_fit` for every batch."""
    for batch in batches(path):
        columns = [column.to_numpy() for column in batch.columns]
        model.partial_fit(np.column_stack(columns))
    return model


def reading(X: np.ndarray) -> Call:
    """Read the file, and throw the rows away."""
    return lambda: sum(batch.num_rows for batch in batches(path_of(X)))


def batches(path: Path) -> Iterator[Any]:
    """Read one row group after the other, which is the fastest way, in batches of 8 MB."""
    file = parquet.ParquetFile(path)
    size = max(1, 2**20 // file.metadata.num_columns)
    for group in range(file.metadata.num_row_groups):
        yield from file.iter_batches(batch_size=size, row_groups=[group])


def path_of(X: np.ndarray) -> Path:
    """Write a table to a file, once; the files of earlier tables are removed."""
    if id(X) not in _written:
        remove()
        folder = Path(tempfile.mkdtemp(prefix="skscale-benchmarks-"))
        _written[id(X)] = path = folder / "rows.parquet"
        schema = pyarrow.schema([(f"x{i}", str(X.dtype)) for i in range(X.shape[1])])
        with parquet.ParquetWriter(path, schema) as writer:
            for start in range(0, len(X), ROW_GROUP):
                part = X[start : start + ROW_GROUP]
                writer.write_table(pyarrow.table(list(part.T.copy()), schema=schema))
    return _written[id(X)]


@atexit.register
def remove() -> None:
    """Remove the files."""
    while _written:
        path = _written.popitem()[1]
        path.unlink()
        path.parent.rmdir()

"""Any table to a stream of float blocks, and results back into the caller's kind of table.

The only place that knows pandas, polars, pyarrow, dask and narwhals; none is imported before
somebody hands in, or asks for, one of their tables. But for pandas, once an estimator that is not
ours is to read an Arrow table.
"""

from skscale._tables._common import commonness
from skscale._tables._dask import (
    CHUNKS_UNKNOWN,
    LazyTable,
    cut_weights,
    is_lazy,
    kinds_of_chunks,
    map_chunks,
    open_lazy,
    optimized,
    references,
    refuse_lazy,
    sample_of,
    weights_of_chunks,
)
from skscale._tables._files import check_same_columns
from skscale._tables._frames import Scratch, one_block_at_a_time
from skscale._tables._mixed import (
    as_mixed,
    column_at,
    number_columns,
    objects,
    objects_of,
    read_columns,
    values_of,
    without_column,
)
from skscale._tables._pieces import (
    join_rows,
    recut,
    slice_rows,
    take_column,
    without_arrow,
    without_rows,
)
from skscale._tables._plain import read_plain
from skscale._tables._read import check_shape, column_names, is_frame, read, select
from skscale._tables._rows import (
    arrays_of,
    columns_of,
    copy_rows,
    count_columns,
    count_rows,
    exchange_rows,
    has_rows,
    is_series,
    labels_of,
    parts_of,
    replace_values,
    with_columns_of,
    with_missing,
)
from skscale._tables._sink import Sink
from skscale._tables._sinks import open_sink
from skscale._tables._sources import Source, open_source
from skscale._tables._table import Table
from skscale._tables._take import take_rows
from skscale._tables._write import frame_of, output_kind, refuse_sparse, to_frame

__all__ = [
    "CHUNKS_UNKNOWN",
    "LazyTable",
    "Scratch",
    "Sink",
    "Source",
    "Table",
    "arrays_of",
    "as_mixed",
    "check_same_columns",
    "check_shape",
    "column_at",
    "column_names",
    "columns_of",
    "commonness",
    "copy_rows",
    "count_columns",
    "count_rows",
    "cut_weights",
    "exchange_rows",
    "frame_of",
    "has_rows",
    "is_frame",
    "is_lazy",
    "is_series",
    "join_rows",
    "kinds_of_chunks",
    "labels_of",
    "map_chunks",
    "number_columns",
    "objects",
    "objects_of",
    "one_block_at_a_time",
    "open_lazy",
    "open_sink",
    "open_source",
    "optimized",
    "output_kind",
    "parts_of",
    "read",
    "read_columns",
    "read_plain",
    "recut",
    "references",
    "refuse_lazy",
    "refuse_sparse",
    "replace_values",
    "sample_of",
    "select",
    "slice_rows",
    "take_column",
    "take_rows",
    "to_frame",
    "values_of",
    "weights_of_chunks",
    "with_columns_of",
    "with_missing",
    "without_arrow",
    "without_column",
    "without_rows",
]

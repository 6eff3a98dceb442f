"""The hot loops, and nothing else: blocks of rows in, a few numbers or a block out.

Everything here works on one block of rows that fits in a cache; who cuts the blocks and
merges what comes out is not known here. A compiled twin of a function has its signature
and its results and is chosen in this file, at import.
"""

from skscale._kernels._affine import interpolate, standardize, uninterpolate, unstandardize
from skscale._kernels._columns import (
    check_complete,
    check_finite,
    chunks,
    reduce_columns,
    total_weight,
)
from skscale._kernels._exact import (
    EXACT_INTEGER,
    Array,
    Rows,
    WideRows,
    as_rows,
    is_wide,
    leading,
    narrow,
    subtract,
    two_sum,
)
from skscale._kernels._extrema import extrema
from skscale._kernels._moments import (
    moments,
    ordinary_exponent,
)
from skscale._kernels._scatter import add_scatter, centred, scatter
from skscale._kernels._sparse import check_stored, sparse_moments
from skscale._kernels._triangle import factor, join, triangle, wide_triangle

__all__ = [
    "EXACT_INTEGER",
    "Array",
    "Rows",
    "WideRows",
    "add_scatter",
    "as_rows",
    "centred",
    "check_complete",
    "check_finite",
    "check_stored",
    "chunks",
    "extrema",
    "factor",
    "interpolate",
    "is_wide",
    "join",
    "leading",
    "moments",
    "narrow",
    "ordinary_exponent",
    "reduce_columns",
    "scatter",
    "sparse_moments",
    "standardize",
    "subtract",
    "total_weight",
    "triangle",
    "two_sum",
    "uninterpolate",
    "unstandardize",
    "wide_triangle",
]

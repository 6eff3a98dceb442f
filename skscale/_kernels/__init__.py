"""The hot loops, and nothing else: blocks of rows in, a few numbers or a block out.

Everything here works on one block of rows; who cuts the blocks and merges what comes out is not
known here. The scalers' functions have compiled twins, with the same signatures and the same
results to rounding, which are chosen in this file, at import, where they were built. The
environment variable ``SKSCALE_KERNELS`` asks for one or the other: "compiled" or "numpy".
"""

import os

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
    Columns,
    Elsewhere,
    Picked,
    Rows,
    WideRows,
    as_rows,
    is_wide,
    leading,
    narrow,
    subtract,
    two_sum,
)
from skscale._kernels._hashes import multipliers
from skscale._kernels._merging import LOWEST, add_scatter
from skscale._kernels._moments import ordinary_exponent
from skscale._kernels._rowwise import Parts, stored_scale
from skscale._kernels._scatter import centred
from skscale._kernels._sparse import check_stored, sparse_moments
from skscale._kernels._triangle import factor, join, triangle, wide_triangle
from skscale.errors import MissingDependencyError

WANTED = os.environ.get("SKSCALE_KERNELS", "")
if WANTED not in ("", "compiled", "numpy"):
    raise ValueError(f"SKSCALE_KERNELS must be 'compiled' or 'numpy', or not set; got {WANTED!r}")

IN_USE = "numpy"
"""Which twins are in use: "compiled" or "numpy"."""

if WANTED != "numpy":
    try:
        from skscale._kernels._compiled import (
            add_means,
            deviations,
            extrema,
            gather,
            interpolate,
            low_hashes,
            merge_scatter,
            moments,
            normalize_rows,
            row_hashes,
            scatter,
            standardize,
            uninterpolate,
            unstandardize,
        )

        IN_USE = "compiled"
    except ImportError as error:
        if WANTED == "compiled":
            raise MissingDependencyError(
                "SKSCALE_KERNELS is 'compiled', but the compiled kernels were not built: there was "
                "no C compiler when skscale was installed. Install one and then skscale again."
            ) from error

if IN_USE == "numpy":
    from skscale._kernels._affine import (
        interpolate,
        standardize,
        uninterpolate,
        unstandardize,
    )
    from skscale._kernels._extrema import extrema
    from skscale._kernels._gather import gather
    from skscale._kernels._hashes import low_hashes, row_hashes
    from skscale._kernels._merging import add_means, merge_scatter
    from skscale._kernels._moments import moments
    from skscale._kernels._rowwise import normalize_rows
    from skscale._kernels._scatter import deviations, scatter

__all__ = [
    "EXACT_INTEGER",
    "IN_USE",
    "LOWEST",
    "Array",
    "Columns",
    "Elsewhere",
    "Parts",
    "Picked",
    "Rows",
    "WideRows",
    "add_means",
    "add_scatter",
    "as_rows",
    "centred",
    "check_complete",
    "check_finite",
    "check_stored",
    "chunks",
    "deviations",
    "extrema",
    "factor",
    "gather",
    "interpolate",
    "is_wide",
    "join",
    "leading",
    "low_hashes",
    "merge_scatter",
    "moments",
    "multipliers",
    "narrow",
    "normalize_rows",
    "ordinary_exponent",
    "reduce_columns",
    "row_hashes",
    "scatter",
    "sparse_moments",
    "standardize",
    "stored_scale",
    "subtract",
    "total_weight",
    "triangle",
    "two_sum",
    "uninterpolate",
    "unstandardize",
    "wide_triangle",
]

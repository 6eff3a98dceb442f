from typing import Any

ORDINARY: int
INFINITE: int
UNUSUAL: int
SHARED: int
ABREAST: int

# Indexed by the names of C types, "float" or "double": one function for each kind of rows.
moments: Any
deviations: Any
extrema: Any
affine: Any
hashes: Any
low_hashes: Any
add_means: Any
merge_scatter: Any
gather: Any
normalize_rows: Any

def lanes() -> int: ...
def products(lanes: int, starts: Any, lengths: Any, *given: Any) -> None: ...
def products_work(n_rows: int, n_columns: int) -> int: ...

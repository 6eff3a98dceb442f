"""What is installed and in use: the first thing to look at when two machines disagree."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

from threadpoolctl import threadpool_info

from skscale import _kernels as kernels
from skscale._threads import allowed_threads

NEEDED = ("numpy", "scipy", "scikit-learn", "joblib", "threadpoolctl", "narwhals")
OPTIONAL = ("pandas", "polars", "pyarrow", "dask", "matplotlib")


def show_versions() -> None:
    """Print which kernels are in use, how many threads, and all versions that matter.

    Notes
    -----
    ``kernels: compiled`` where a C compiler was there when skscale was installed, ``kernels:
    numpy`` elsewhere: slower, with the same results.

    Examples
    --------
    >>> import skscale
    >>> skscale.show_versions()
    skscale: ...
    kernels: ...
    threads: ...
    """
    lines = {
        "skscale": _version("skscale"),
        "kernels": kernels.IN_USE,
        "threads": allowed_threads(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        **{name: _version(name) for name in (*NEEDED, *OPTIONAL)},
    }
    for name, value in lines.items():
        print(f"{name}: {value}")
    for library in threadpool_info():
        if library["user_api"] == "blas":
            kind, number = library["internal_api"], library["version"]
            print(f"blas: {kind} {number}, {library['num_threads']} threads")


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"

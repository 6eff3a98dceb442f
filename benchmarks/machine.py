"""The machine and the libraries that numbers come from: no names of hosts, users or folders."""

import os
import platform
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from threadpoolctl import threadpool_info

import skscale  # noqa: F401  so that its kernels are loaded, and a BLAS
from skscale._kernels import IN_USE

LIBRARIES = (
    "numpy",
    "scipy",
    "scikit-learn",
    "scikit-learn-intelex",
    "pandas",
    "polars",
)
ROOT = Path(__file__).parents[1]
CPUINFO = Path("/proc/cpuinfo")
CACHES = Path("/sys/devices/system/cpu/cpu0/cache")


def setting() -> dict[str, str]:
    """Return all that a reader needs to judge the numbers, by title."""
    pools = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "processor": processor(),
        "cores": str(cores()),
        "caches": ", ".join(caches()) or "unknown",
        "memory": memory(),
        "load before": load(),
        "system": f"{platform.system()} {platform.machine()}",
        "Python": platform.python_version(),
        "skscale": project["version"],
        **{library: version(library) for library in LIBRARIES},
        "kernels of skscale": IN_USE,
        "BLAS": "; ".join(dict.fromkeys(map(blas, pools))) or "unknown",
    }


def version(library: str) -> str:
    """Return the version installed."""
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return "not installed"


def processor() -> str:
    """Return the model, as it names itself."""
    if CPUINFO.exists():
        for line in CPUINFO.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown"


def cores() -> int:
    """Return how many this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def caches() -> Iterator[str]:
    """Yield those of the first core, where Linux tells: "L2 1024K"."""
    for cache in sorted(CACHES.glob("index*")):
        level, kind, size = ((cache / of).read_text().strip() for of in ("level", "type", "size"))
        if kind != "Instruction":
            yield f"L{level} {size}"


def memory() -> str:
    """Return the size of physical memory."""
    try:
        size = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError):
        return "unknown"
    return f"{size / 2**30:.0f} GiB"


def load() -> str:
    """Return how many processes wanted a core in the minute before: best close to none."""
    return f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"


def blas(pool: dict[str, object]) -> str:
    """Return the name, version and threads of a BLAS."""
    return f"{pool['internal_api']} {pool['version']}, {pool['num_threads']} threads"

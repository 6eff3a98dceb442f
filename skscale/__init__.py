"""Preprocessing that learns from training rows only, and keeps none of them."""

from skscale._threads import thread_limit
from skscale._versions import show_versions
from skscale.decomposition import PCA, Whitener
from skscale.normalization import (
    BatchNormalizer,
    GroupNormalizer,
    LayerNormalizer,
    RMSNormalizer,
    SupervisedBatchNormalizer,
)
from skscale.scaling import MinMaxScaler, StandardScaler

__all__ = [
    "PCA",
    "BatchNormalizer",
    "GroupNormalizer",
    "LayerNormalizer",
    "MinMaxScaler",
    "RMSNormalizer",
    "StandardScaler",
    "SupervisedBatchNormalizer",
    "Whitener",
    "show_versions",
    "thread_limit",
]


def __getattr__(name: str) -> str:
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("skscale")
    except PackageNotFoundError:
        raise AttributeError("skscale has a version where it is installed, and is not") from None

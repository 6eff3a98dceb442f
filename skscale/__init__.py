"""Preprocessing that learns from training rows only, and keeps none of them."""

from skscale._threads import thread_limit
from skscale._versions import show_versions
from skscale.decomposition import PCA, Whitener
from skscale.normalization import BatchNormalizer
from skscale.scaling import MinMaxScaler, StandardScaler

__all__ = [
    "PCA",
    "BatchNormalizer",
    "MinMaxScaler",
    "StandardScaler",
    "Whitener",
    "show_versions",
    "thread_limit",
]

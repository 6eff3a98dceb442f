"""Normalizers from neural networks, as steps for tables."""

from skscale.normalization._batch import BatchNormalizer
from skscale.normalization._group import GroupNormalizer
from skscale.normalization._layer import LayerNormalizer
from skscale.normalization._rms import RMSNormalizer
from skscale.normalization._supervised import SupervisedBatchNormalizer

__all__ = [
    "BatchNormalizer",
    "GroupNormalizer",
    "LayerNormalizer",
    "RMSNormalizer",
    "SupervisedBatchNormalizer",
]

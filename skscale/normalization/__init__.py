"""Normalizers from neural networks, as steps for tables."""

from skscale.normalization._batch import BatchNormalizer
from skscale.normalization._supervised import SupervisedBatchNormalizer

__all__ = ["BatchNormalizer", "SupervisedBatchNormalizer"]

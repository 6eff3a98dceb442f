"""Normalizers from neural networks, as steps for tables."""

from skscale.normalization._batch import BatchNormalizer

__all__ = ["BatchNormalizer"]

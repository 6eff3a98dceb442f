"""Activation normalization as functions of numpy arrays, forward and backward."""

from skscale.normalization.functional._batch import batch_norm, batch_norm_backward

__all__ = ["batch_norm", "batch_norm_backward"]

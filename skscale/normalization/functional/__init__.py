"""Activation normalization as functions of numpy arrays, forward and backward.

Every function returns its output and a cache, which the backward step of the same name takes
together with the gradient of the output. Arithmetic is in float64, whatever the input.
"""

from skscale.normalization.functional._batch import (
    batch_norm,
    batch_norm_backward,
    batch_renorm,
    batch_renorm_backward,
)
from skscale.normalization.functional._instance import instance_norm, instance_norm_backward
from skscale.normalization.functional._rows import (
    group_norm,
    group_norm_backward,
    layer_norm,
    layer_norm_backward,
    rms_norm,
    rms_norm_backward,
)
from skscale.normalization.functional._weight import weight_norm, weight_norm_backward

__all__ = [
    "batch_norm",
    "batch_norm_backward",
    "batch_renorm",
    "batch_renorm_backward",
    "group_norm",
    "group_norm_backward",
    "instance_norm",
    "instance_norm_backward",
    "layer_norm",
    "layer_norm_backward",
    "rms_norm",
    "rms_norm_backward",
    "weight_norm",
    "weight_norm_backward",
]

"""Instance normalization: statistics of every feature of an instance over its time steps."""

from __future__ import annotations

from typing import Any

from skscale._kernels import Array
from skscale.normalization.functional import _arguments as arguments
from skscale.normalization.functional._panels import (
    Layout,
    PanelCache,
    Rows,
    Series,
    backward,
    forward,
)


def instance_norm(
    X: Any, gamma: Any = None, beta: Any = None, *, epsilon: float = 1e-5
) -> tuple[Array, PanelCache]:
    """Instance normalization: every feature of an instance over its time steps.

    ``gamma (x - mean) / sqrt(var + epsilon) + beta``, as PyTorch's InstanceNorm1d, which has time
    last: of an array of two dimensions it too takes every row as a series.

    Parameters
    ----------
    X : array-like of shape (n, p) or (n, time, p)
        Instances. At several time steps: mean and variance, divided by their number, are over them,
        by instance and feature. A row alone is a series of p values, and so is as in `layer_norm`.
        float32 stays float32; all else becomes float64.
    gamma, beta : array-like of shape (p,) or None, default=None
        Scale and shift of every feature; None is 1 and 0.
    epsilon : float, default=1e-5
        Positive number added to the variance.

    Returns
    -------
    Y : ndarray of the shape and dtype of X
        Computed in float64.
    cache : PanelCache
        For `instance_norm_backward`. It refers to `X`, which must not be changed before that.

    Raises
    ------
    InvalidParameterError
        A `ValueError`: for a batch that is empty or of other dimensions, gamma or beta of the wrong
        length, and an epsilon that is not positive.

    Notes
    -----
    A NaN or an infinity makes its feature NaN, in its instance. A single time step becomes beta.
    The range of numbers is that of `layer_norm`.
    Cost: O(n * time * p) time; memory for the output and three numbers per instance and feature.

    References
    ----------
    Ulyanov, D., Vedaldi, A. and Lempitsky, V. (2016). Instance normalization: the missing
    ingredient for fast stylization. arXiv:1607.08022.

    Examples
    --------
    >>> import numpy as np
    >>> from skscale.normalization.functional import instance_norm
    >>> X = np.array([[[1.0, 0.0], [3.0, 8.0]]])
    >>> instance_norm(X, epsilon=1e-12)[0]
    array([[[-1., -1.],
            [ 1.,  1.]]])

    A row alone:

    >>> instance_norm([[1.0, 3.0]], epsilon=1e-12)[0]
    array([[-1.,  1.]])
    """
    X = arguments.batch("instance_norm", X)
    is_series = X.ndim == 3
    layout: Layout = Series(*X.shape[1:]) if is_series else Rows((slice(0, X.shape[-1]),))
    return forward("instance_norm", X, gamma, beta, epsilon, layout)


def instance_norm_backward(dY: Any, cache: PanelCache) -> tuple[Array, Array, Array]:
    """Gradients of a function of the output of `instance_norm`.

    As `layer_norm_backward`, with means over the time steps of a feature of an instance.

    Parameters
    ----------
    dY : array-like of the shape of X
        Gradient with respect to the output.
    cache : PanelCache
        From `instance_norm`.

    Returns
    -------
    dX : ndarray of the shape and dtype of X
        Gradient with respect to the batch.
    dgamma, dbeta : ndarray of shape (p,), float64
        Gradients with respect to gamma and beta, also where they were None.

    Raises
    ------
    InvalidParameterError
        For a `dY` of another shape than `X`, and a cache of another function.

    Notes
    -----
    NaN makes its feature, in its instance, of dX NaN, and dgamma of its features. Cost: O(n * time
    * p) time, and no memory but for dX.

    References
    ----------
    Ulyanov, D., Vedaldi, A. and Lempitsky, V. (2016). Instance normalization: the missing
    ingredient for fast stylization. arXiv:1607.08022.

    Examples
    --------
    >>> import numpy as np
    >>> from skscale.normalization.functional import instance_norm, instance_norm_backward
    >>> Y, cache = instance_norm(np.array([[[1.0], [3.0], [8.0]]]))
    >>> dX, dgamma, dbeta = instance_norm_backward(np.ones((1, 3, 1)), cache)
    >>> bool(abs(dX).max() < 1e-15), dbeta
    (True, array([3.]))
    """
    return backward("instance_norm_backward", dY, cache)

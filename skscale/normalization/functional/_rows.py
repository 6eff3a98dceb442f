"""Normalization of rows by themselves: over all features, or over groups of them."""

from __future__ import annotations

from typing import Any

from skscale._kernels import Array
from skscale.normalization.functional import _arguments as arguments
from skscale.normalization.functional._panels import PanelCache, Rows, backward, forward


def layer_norm(
    X: Any, gamma: Any = None, beta: Any = None, *, epsilon: float = 1e-5
) -> tuple[Array, PanelCache]:
    """Layer normalization: ``gamma (x - mean) / sqrt(var + epsilon) + beta``, row by row.

    Mean and variance, divided by p, are those of the p features of one row at one time step.

    Parameters
    ----------
    X : array-like of shape (n, p) or (n, time, p)
        Rows, or rows at several time steps, each of which is normalized by itself.
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
        For `layer_norm_backward`. It refers to `X`, which must not be changed before that.

    Raises
    ------
    InvalidParameterError
        A `ValueError`: for a batch that is empty or of other dimensions, gamma or beta of the wrong
        length, and an epsilon that is not positive.

    See Also
    --------
    skscale.LayerNormalizer : a transformer, for numbers of any size.

    Notes
    -----
    A NaN or an infinity makes its row NaN. A row of one feature becomes beta. Squares of deviations
    must be in the range of float64: a row with some above 1e154 becomes beta, with numpy's warning
    of the overflow. Cost: O(n * time * p) time, and little memory but for the output.

    References
    ----------
    Ba, J. L., Kiros, J. R. and Hinton, G. E. (2016). Layer normalization. arXiv:1607.06450.

    Examples
    --------
    >>> from skscale.normalization.functional import layer_norm
    >>> layer_norm([[1.0, 3.0], [0.0, 0.0]], epsilon=1e-12)[0]
    array([[-1.,  1.],
           [ 0.,  0.]])
    """
    X = arguments.batch("layer_norm", X)
    layout = Rows((slice(0, X.shape[-1]),))
    return forward("layer_norm", X, gamma, beta, epsilon, layout)


def layer_norm_backward(dY: Any, cache: PanelCache) -> tuple[Array, Array, Array]:
    """Gradients of a function of the output of `layer_norm`.

    With ``z = (x - mean) / sqrt(var + epsilon)``, ``g = dY gamma`` and means over the features of
    a row, ``dX = (g - mean(g) - z mean(g z)) / sqrt(var + epsilon)``; over all rows and steps,
    ``dgamma = sum(dY z)`` and ``dbeta = sum(dY)``.

    Parameters
    ----------
    dY : array-like of the shape of X
        Gradient with respect to the output.
    cache : PanelCache
        From `layer_norm`.

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
    NaN makes its row of dX NaN, and dgamma of its features. Cost: O(n * time * p) time, and no
    memory but for dX.

    References
    ----------
    Ba, J. L., Kiros, J. R. and Hinton, G. E. (2016). Layer normalization. arXiv:1607.06450.

    Examples
    --------
    >>> from skscale.normalization.functional import layer_norm, layer_norm_backward
    >>> Y, cache = layer_norm([[1.0, 2.0, 6.0]])
    >>> dX, dgamma, dbeta = layer_norm_backward([[1.0, 1.0, 1.0]], cache)
    >>> bool(abs(dX).max() < 1e-15), dbeta
    (True, array([1., 1., 1.]))
    """
    return backward("layer_norm_backward", dY, cache)


def group_norm(
    X: Any,
    groups: Any,
    gamma: Any = None,
    beta: Any = None,
    *,
    epsilon: float = 1e-5,
) -> tuple[Array, PanelCache]:
    """Group normalization: `layer_norm` over each of several groups of the features.

    Parameters
    ----------
    X : array-like of shape (n, p) or (n, time, p)
        Rows, or rows at several time steps, each of which is normalized by itself.
        float32 stays float32; all else becomes float64.
    groups : int or list of array-like of int
        Number of groups of consecutive features, which must divide p; or the columns of every
        group, by number, such that each is in one group. Negative numbers count from the end.
    gamma, beta : array-like of shape (p,) or None, default=None
        Scale and shift of every feature; None is 1 and 0.
    epsilon : float, default=1e-5
        Positive number added to the variance.

    Returns
    -------
    Y : ndarray of the shape and dtype of X
        Computed in float64.
    cache : PanelCache
        For `group_norm_backward`. It refers to `X`, which must not be changed before that.

    Raises
    ------
    InvalidParameterError
        A `ValueError`: for a batch that is empty or of other dimensions, gamma or beta of the wrong
        length, groups that do not divide the features, overlap or miss columns, and an epsilon
        that is not positive.

    Notes
    -----
    A NaN or an infinity makes its group of its row NaN. A group of one feature becomes beta. The
    range of numbers is that of `layer_norm`. Cost: O(n * time * p) time; memory for the output and
    three numbers per row and group.

    References
    ----------
    Wu, Y. and He, K. (2018). Group normalization. ECCV, 3-19.

    Examples
    --------
    >>> from skscale.normalization.functional import group_norm
    >>> group_norm([[1.0, 3.0, 10.0, 30.0]], 2, epsilon=1e-12)[0]
    array([[-1.,  1., -1.,  1.]])

    Columns of any places:

    >>> group_norm([[1.0, 10.0, 3.0, 30.0]], [[0, 2], [1, 3]], epsilon=1e-12)[0]
    array([[-1., -1.,  1.,  1.]])
    """
    X = arguments.batch("group_norm", X)
    layout = Rows(*arguments.partition("group_norm", groups, X.shape[-1]))
    return forward("group_norm", X, gamma, beta, epsilon, layout)


def group_norm_backward(dY: Any, cache: PanelCache) -> tuple[Array, Array, Array]:
    """Gradients of a function of the output of `group_norm`.

    As `layer_norm_backward`, with means over the features of a group.

    Parameters
    ----------
    dY : array-like of the shape of X
        Gradient with respect to the output.
    cache : PanelCache
        From `group_norm`.

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
    NaN makes its group of its row of dX NaN, and dgamma of its features. Cost: O(n * time * p)
    time, and no memory but for dX.

    References
    ----------
    Wu, Y. and He, K. (2018). Group normalization. ECCV, 3-19.

    Examples
    --------
    >>> from skscale.normalization.functional import group_norm, group_norm_backward
    >>> Y, cache = group_norm([[1.0, 2.0, 6.0]], [[0, 2], [1]])
    >>> dX, dgamma, dbeta = group_norm_backward([[1.0, 1.0, 1.0]], cache)
    >>> float(dX[0, 1]), float(dgamma[1])
    (0.0, 0.0)
    """
    return backward("group_norm_backward", dY, cache)


def rms_norm(
    X: Any, gamma: Any = None, beta: Any = None, *, epsilon: float = 1e-5
) -> tuple[Array, PanelCache]:
    """RMS normalization: ``gamma x / sqrt(mean(x**2) + epsilon) + beta``, row by row.

    Nothing is subtracted; the mean square is that of the p features of one row at one time step.

    Parameters
    ----------
    X : array-like of shape (n, p) or (n, time, p)
        Rows, or rows at several time steps, each of which is normalized by itself.
        float32 stays float32; all else becomes float64.
    gamma, beta : array-like of shape (p,) or None, default=None
        Scale and shift of every feature; None is 1 and 0.
    epsilon : float, default=1e-5
        Positive number added to the mean square.

    Returns
    -------
    Y : ndarray of the shape and dtype of X
        Computed in float64.
    cache : PanelCache
        For `rms_norm_backward`. It refers to `X`, which must not be changed before that.

    Raises
    ------
    InvalidParameterError
        A `ValueError`: for a batch that is empty or of other dimensions, gamma or beta of the wrong
        length, and an epsilon that is not positive.

    Notes
    -----
    A NaN makes its row NaN. An infinity becomes NaN, and the rest of its row beta. A row with a
    value above 1e154, whose square overflows, becomes beta, with numpy's warning. Cost: O(n * time
    * p) time, and little memory but for the output.

    References
    ----------
    Zhang, B. and Sennrich, R. (2019). Root mean square layer normalization. NeurIPS 32.

    Examples
    --------
    >>> from skscale.normalization.functional import rms_norm
    >>> rms_norm([[3.0, 3.0, -3.0]], beta=[0.0, 1.0, 0.0], epsilon=1e-12)[0]
    array([[ 1.,  2., -1.]])
    """
    X = arguments.batch("rms_norm", X)
    layout = Rows((slice(0, X.shape[-1]),))
    return forward("rms_norm", X, gamma, beta, epsilon, layout, centred=False)


def rms_norm_backward(dY: Any, cache: PanelCache) -> tuple[Array, Array, Array]:
    """Gradients of a function of the output of `rms_norm`.

    With ``z = x / root``, ``root = sqrt(mean(x**2) + epsilon)``, ``g = dY gamma`` and means over
    the features of a row, ``dX = (g - z mean(g z)) / root``; over all rows and steps,
    ``dgamma = sum(dY z)`` and ``dbeta = sum(dY)``.

    Parameters
    ----------
    dY : array-like of the shape of X
        Gradient with respect to the output.
    cache : PanelCache
        From `rms_norm`.

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
    NaN makes its row of dX NaN, and dgamma of its features. Cost: O(n * time * p) time, and no
    memory but for dX.

    References
    ----------
    Zhang, B. and Sennrich, R. (2019). Root mean square layer normalization. NeurIPS 32.

    Examples
    --------
    >>> from skscale.normalization.functional import rms_norm, rms_norm_backward
    >>> Y, cache = rms_norm([[2.0, 2.0]], epsilon=1e-12)
    >>> dX, dgamma, dbeta = rms_norm_backward([[1.0, -1.0]], cache)
    >>> dX
    array([[ 0.5, -0.5]])
    """
    return backward("rms_norm_backward", dY, cache)

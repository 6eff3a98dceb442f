"""Batch normalization and renormalization: statistics of features over the rows of a batch."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from skscale._kernels import Array
from skscale.normalization.functional import _arguments as arguments
from skscale.normalization.functional import _columns as columns

Statistics = tuple[Array, Array, Array]
"""Mean, as an unevaluated sum of two, and variance."""


class BatchCache(NamedTuple):
    """What the backward step of batch normalization needs of the forward one.

    Parameters
    ----------
    X : array of shape (n, p) or (n, time, p)
        The batch itself, not a copy of it.
    mean, mean_low, var : arrays of shape (p,) or (time, p), float64
        Statistics that the batch was normalized with; the mean is ``mean + mean_low``.
    scale : array of shape (p,) or (time, p)
        One over the standard deviation, epsilon included.
    gamma : array of shape (p,)
        Scale of every feature.
    r, d : arrays of shape (p,) or (time, p)
        Correction of renormalization; 1 and 0 without it.
    learned : bool
        Whether the statistics are the batch's own, so that the gradient runs through them.
    made_by : str
        Name of the function.
    """

    X: Array
    mean: Array
    mean_low: Array
    var: Array
    scale: Array
    gamma: Array
    r: Array
    d: Array
    learned: bool
    made_by: str


def batch_norm(
    X: Any,
    gamma: Any = None,
    beta: Any = None,
    *,
    mean: Any = None,
    var: Any = None,
    epsilon: float = 1e-5,
) -> tuple[Array, BatchCache]:
    """Batch normalization: ``gamma (x - mean) / sqrt(var + epsilon) + beta``, feature by feature.

    Parameters
    ----------
    X : array-like of shape (n, p) or (n, time, p)
        A batch of rows, or of rows at several time steps. float32 stays float32; all else becomes
        float64.
    gamma, beta : array-like of shape (p,) or None, default=None
        Scale and shift of every feature, the same at all time steps; None is 1 and 0.
    mean, var : array-like of shape (p,) or (steps, p), or None, default=None
        Statistics to normalize with (inference). With fewer steps than `X` has, later ones
        are normalized with the last one's; of shape (p,), all are normalized alike. None, both of
        them: those of the batch (training), at each time step its own, the variance divided by n.
    epsilon : float, default=1e-5
        Positive number added to the variance.

    Returns
    -------
    Y : ndarray of the shape of X
        Computed in float64, of the dtype of `X`.
    cache : BatchCache
        For `batch_norm_backward`; ``cache.mean`` and ``cache.var`` are the statistics. It refers
        to `X`, which must not be changed before the backward step.

    Raises
    ------
    InvalidParameterError
        A `ValueError`: for a batch that is empty or of other dimensions, gamma, beta, mean or var
        of the wrong length, one of mean and var without the other, a negative var, and an epsilon
        that is not positive.

    See Also
    --------
    batch_renorm : corrected towards known statistics in training.
    skscale.BatchNormalizer : a transformer, with running statistics.

    Notes
    -----
    A NaN or an infinity makes the whole feature NaN in training, at its time step; in inference
    it stays alone. One row has variance 0 and becomes beta. Squares of deviations must be in the
    range of float64: deviations above 1e154 give a variance of infinity. Cost: O(n * time * p)
    time, and no memory but for the output.

    References
    ----------
    Ioffe, S. and Szegedy, C. (2015). Batch normalization: accelerating deep network training by
    reducing internal covariate shift. ICML 37, 448-456.

    Cooijmans, T. et al. (2017). Recurrent batch normalization. ICLR. (Statistics per time step,
    gamma and beta shared.)

    Examples
    --------
    >>> import numpy as np
    >>> from skscale.normalization.functional import batch_norm
    >>> X = np.array([[0.0], [2.0], [4.0]])
    >>> Y, cache = batch_norm(X, epsilon=1e-12)
    >>> Y.ravel()
    array([-1.22474487,  0.        ,  1.22474487])
    >>> cache.mean, cache.var
    (array([2.]), array([2.66666667]))

    Inference:

    >>> batch_norm(X, mean=[2.0], var=[4.0], epsilon=1e-12)[0].ravel()
    array([-1.,  0.,  1.])

    One row:

    >>> batch_norm([[5.0, 7.0]], beta=[1.0, 2.0])[0]
    array([[1., 2.]])
    """
    X = arguments.batch("batch_norm", X)
    gamma, beta = arguments.affine("batch_norm", gamma, beta, X.shape[-1])
    epsilon = arguments.positive("batch_norm", epsilon)
    learned = mean is None and var is None
    statistics = (
        columns.moments(X.reshape(len(X), -1))
        if learned
        else arguments.known("batch_norm", mean, var, X.shape)
    )
    scale = 1 / np.sqrt(statistics[2] + epsilon)
    plain = np.ones_like(scale), np.zeros_like(scale)
    return _normalize("batch_norm", X, gamma, beta, statistics, scale, plain, learned=learned)


def batch_norm_backward(dY: Any, cache: BatchCache) -> tuple[Array, Array, Array]:
    """Gradients of a function of the output of `batch_norm`.

    With ``z = (x - mean) / sqrt(var + epsilon)``, and means over the rows of a batch,
    ``dX = gamma / sqrt(var + epsilon) * (dY - mean(dY) - z mean(dY z))`` in training, without the
    two means in inference; ``dgamma = sum(dY z)`` and ``dbeta = sum(dY)``.

    Parameters
    ----------
    dY : array-like of the shape of X
        Gradient with respect to the output.
    cache : BatchCache
        From `batch_norm`.

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
    NaN makes the gradients of its feature NaN. Cost: O(n * time * p) time, and no memory but for
    dX.

    References
    ----------
    Ioffe, S. and Szegedy, C. (2015). Batch normalization: accelerating deep network training by
    reducing internal covariate shift. ICML 37, 448-456, section 3.

    Examples
    --------
    >>> from skscale.normalization.functional import batch_norm, batch_norm_backward
    >>> Y, cache = batch_norm([[0.0], [1.0], [4.0]])
    >>> dX, dgamma, dbeta = batch_norm_backward([[1.0], [1.0], [1.0]], cache)
    >>> bool(abs(dX).max() < 1e-15), dbeta
    (True, array([3.]))
    """
    return _backward("batch_norm_backward", dY, cache)


def batch_renorm(
    X: Any,
    gamma: Any = None,
    beta: Any = None,
    *,
    mean: Any,
    var: Any,
    r_max: float = 3.0,
    d_max: float = 5.0,
    epsilon: float = 1e-5,
) -> tuple[Array, BatchCache]:
    """Batch renormalization: ``gamma (z r + d) + beta``, close to inference already in training.

    z are the deviations from the batch's own mean, in its own standard deviations s. The correction
    ``r = s / sqrt(var + epsilon)`` and ``d = (batch mean - mean) / sqrt(var + epsilon)``, with
    epsilon in s too, would make it inference with `mean` and `var`; it goes only so far: r is
    clipped to [1 / r_max, r_max] and d to [-d_max, d_max].

    Parameters
    ----------
    X : array-like of shape (n, p) or (n, time, p)
        A batch of rows, or of rows at several time steps. float32 stays float32; all else becomes
        float64.
    gamma, beta : array-like of shape (p,) or None, default=None
        Scale and shift of every feature, the same at all time steps; None is 1 and 0.
    mean, var : array-like of shape (p,) or (steps, p)
        Known statistics, usually running ones. With fewer steps than `X` has, the last one's hold
        for later ones; of shape (p,), they hold for all.
    r_max : float, default=3.0
        Largest r, at least 1; with ``r_max=1`` and ``d_max=0`` this is `batch_norm`.
    d_max : float, default=5.0
        Largest d, at least 0.
    epsilon : float, default=1e-5
        Positive number added to both variances.

    Returns
    -------
    Y : ndarray of the shape and dtype of X
        Computed in float64.
    cache : BatchCache
        For `batch_renorm_backward`; ``cache.mean`` and ``cache.var`` are the batch's own. It
        refers to `X`, which must not be changed before the backward step.

    Raises
    ------
    InvalidParameterError
        As `batch_norm`, and for a missing mean or var, ``r_max < 1`` and ``d_max < 0``.

    Notes
    -----
    NaN and infinities make the whole feature NaN, at its time step. Cost as of `batch_norm`.

    References
    ----------
    Ioffe, S. (2017). Batch renormalization: towards reducing minibatch dependence in
    batch-normalized models. NeurIPS 30, 1945-1953.

    Examples
    --------
    >>> from skscale.normalization.functional import batch_renorm
    >>> X = [[0.0], [2.0], [4.0]]
    >>> batch_renorm(X, mean=[1.0], var=[4.0], epsilon=1e-12)[0].ravel()  # as inference
    array([-0.5,  0.5,  1.5])

    A correction that is clipped away:

    >>> Y, _ = batch_renorm(X, mean=[1.0], var=[4.0], r_max=1, d_max=0, epsilon=1e-12)
    >>> Y.ravel()
    array([-1.22474487,  0.        ,  1.22474487])
    """
    X = arguments.batch("batch_renorm", X)
    gamma, beta = arguments.affine("batch_renorm", gamma, beta, X.shape[-1])
    r_max = arguments.number("batch_renorm", "r_max", r_max, at_least=1)
    d_max = arguments.number("batch_renorm", "d_max", d_max, at_least=0)
    epsilon = arguments.positive("batch_renorm", epsilon)
    mean, _, var = arguments.known("batch_renorm", mean, var, X.shape)
    own = columns.moments(X.reshape(len(X), -1))
    own_deviation, deviation = np.sqrt(own[2] + epsilon), np.sqrt(var + epsilon)
    r = np.clip(own_deviation / deviation, 1 / r_max, r_max)
    d = np.clip(((own[0] - mean) + own[1]) / deviation, -d_max, d_max)
    scale = 1 / own_deviation
    return _normalize("batch_renorm", X, gamma, beta, own, scale, (r, d), learned=True)


def batch_renorm_backward(dY: Any, cache: BatchCache) -> tuple[Array, Array, Array]:
    """Gradients of a function of the output of `batch_renorm`, r and d held still.

    ``dX = gamma r / s * (dY - mean(dY) - z mean(dY z))``, ``dgamma = sum(dY (z r + d))`` and
    ``dbeta = sum(dY)``, with s and z as in `batch_renorm` and means over the rows of the batch.

    Parameters
    ----------
    dY : array-like of the shape of X
        Gradient with respect to the output.
    cache : BatchCache
        From `batch_renorm`.

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
    r and d depend on the batch, but no gradient runs through them: this is not the derivative
    of `batch_renorm`. NaN makes the gradients of its feature NaN. Cost as of
    `batch_norm_backward`.

    References
    ----------
    Ioffe, S. (2017). Batch renormalization: towards reducing minibatch dependence in
    batch-normalized models. NeurIPS 30, 1945-1953, section 3.

    Examples
    --------
    >>> from skscale.normalization.functional import batch_renorm, batch_renorm_backward
    >>> Y, cache = batch_renorm([[0.0], [4.0]], mean=[1.0], var=[4.0])
    >>> dX, dgamma, dbeta = batch_renorm_backward([[1.0], [1.0]], cache)
    >>> dbeta, bool(abs(dX).max() < 1e-15)
    (array([2.]), True)
    """
    return _backward("batch_renorm_backward", dY, cache)


def _normalize(
    function: str,
    X: Array,
    gamma: Array,
    beta: Array,
    statistics: Statistics,
    scale: Array,
    correction: tuple[Array, Array],
    *,
    learned: bool,
) -> tuple[Array, BatchCache]:
    """``(z r + d) gamma + beta``, and the cache with one number for each step and feature."""
    (mean, mean_low, var), (r, d) = statistics, correction
    steps = len(mean) // len(gamma)
    factor = np.tile(gamma, steps) * scale * r
    shift = np.tile(gamma, steps) * d + np.tile(beta, steps) - mean_low * factor
    Y = columns.affine(X.reshape(len(X), -1), mean, factor, shift).reshape(X.shape)
    kept = (part.reshape(X.shape[1:]) for part in (mean, mean_low, var, scale, r, d))
    mean, mean_low, var, scale, r, d = map(arguments.read_only, kept)
    X, gamma = arguments.read_only(X), arguments.read_only(gamma)
    return Y, BatchCache(X, mean, mean_low, var, scale, gamma, r, d, learned, function)


def _backward(function: str, dY: Any, cache: BatchCache) -> tuple[Array, Array, Array]:
    """Gradients of ``(z r + d) gamma + beta``, r and d held still."""
    arguments.check_cache(function, cache)
    shape = cache.X.shape
    dY = arguments.gradient(function, dY, shape).reshape(len(cache.X), -1)
    rows = cache.X.reshape(dY.shape)
    mean, low, _, scale = (part.reshape(-1) for part in cache[1:5])
    r, d = cache.r.reshape(-1), cache.d.reshape(-1)
    total, along = columns.projections(dY, rows, mean)
    along = scale * (along - low * total)  # of dY z
    factor = np.tile(cache.gamma, len(mean) // len(cache.gamma)) * scale * r
    if cache.learned:
        slope = factor * scale * along / len(rows)
        shift = factor * total / len(rows) - low * slope
        dX = columns.combination(dY, factor, rows, mean, slope, shift)
    else:
        zeros = np.zeros_like(mean)
        dX = columns.affine(dY, zeros, factor, zeros)
    over_steps = (-1, len(cache.gamma))
    dgamma = (r * along + d * total).reshape(over_steps).sum(axis=0)
    return dX.reshape(shape), dgamma, total.reshape(over_steps).sum(axis=0)

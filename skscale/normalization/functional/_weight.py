"""Weight normalization: vectors as a length times a direction."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from skscale._kernels import Array
from skscale._parameters import is_integer
from skscale.normalization.functional import _arguments as arguments


class WeightCache(NamedTuple):
    """What the backward step of weight normalization needs of the forward one.

    Parameters
    ----------
    direction : array of the shape of V, float64
        The vectors, of length 1.
    norm : array of shape (n_vectors,), float64
        Length that they had.
    g : array of shape (n_vectors,), float64
        Length that they were given.
    axis : int
        Along which a vector lies: 0 or 1.
    dtype : dtype
        Of the result.
    made_by : str
        Name of the function.
    """

    direction: Array
    norm: Array
    g: Array
    axis: int
    dtype: np.dtype[Any]
    made_by: str


def weight_norm(V: Any, g: Any, *, axis: int = 1) -> tuple[Array, WeightCache]:
    """Weight normalization: ``W = g V / |V|``, vector by vector.

    Parameters
    ----------
    V : array-like of shape (rows, columns)
        Vectors, side by side. float32 stays float32; all else becomes float64.
    g : array-like of shape (rows,), or (columns,) for ``axis=0``
        Length of every vector; a negative one turns it round.
    axis : int, default=1
        The axis that norms are taken along, as in `numpy.linalg.norm`. 1: a row of `V` is a vector,
        as in PyTorch, where a row holds the weights of one output (its ``dim=0``). 0: a column is
        one, as in the ``coefs_`` of scikit-learn's MLPs.

    Returns
    -------
    W : ndarray of the shape and dtype of V
        Computed in float64.
    cache : WeightCache
        For `weight_norm_backward`.

    Raises
    ------
    InvalidParameterError
        A `ValueError`: for a `V` that is empty or not two-dimensional, a `g` of another length
        than there are vectors, another axis, and a vector of zeros, which has no direction.

    Notes
    -----
    NaN makes its vector NaN. Vectors are divided by a power of two before their norms are taken, so
    that these neither overflow nor vanish. Cost: O(size of V) time and memory.

    References
    ----------
    Salimans, T. and Kingma, D. P. (2016). Weight normalization: a simple reparameterization to
    accelerate training of deep neural networks. NeurIPS 29, 901-909.

    Examples
    --------
    >>> from skscale.normalization.functional import weight_norm
    >>> weight_norm([[3.0, 4.0], [0.0, 2.0]], [10.0, 1.0])[0]
    array([[6., 8.],
           [0., 1.]])

    Columns:

    >>> weight_norm([[3.0, 0.0], [4.0, 2.0]], [10.0, 1.0], axis=0)[0]
    array([[6., 0.],
           [8., 1.]])
    """
    V = arguments.floats("weight_norm", "V", V)
    if V.ndim != 2 or V.size == 0:
        expected = "of shape (rows, columns), at least one of each"
        raise arguments.invalid("weight_norm", "V", expected, arguments.shown(V))
    if not is_integer(axis) or axis not in (-2, -1, 0, 1):
        raise arguments.invalid("weight_norm", "axis", "0 or 1", repr(axis))
    axis = int(axis) % 2
    g = arguments.per_feature("weight_norm", "g", g, V.shape[1 - axis])
    largest = np.abs(V).max(axis=axis)
    if (largest == 0).any():
        zeros = f"zeros in vectors {np.flatnonzero(largest == 0).tolist()}"
        raise arguments.invalid("weight_norm", "V", "without vectors of zeros", zeros)
    exponent = np.frexp(largest.astype(np.float64))[1]
    scaled = np.ldexp(V.astype(np.float64), np.expand_dims(-exponent, axis))
    norm = np.sqrt(np.add.reduce(scaled * scaled, axis=axis))
    direction = scaled / np.expand_dims(norm, axis)
    W = (direction * np.expand_dims(g, axis)).astype(V.dtype)
    direction, norm, g = map(arguments.read_only, (direction, np.ldexp(norm, exponent), g))
    return W, WeightCache(direction, norm, g, axis, V.dtype, "weight_norm")


def weight_norm_backward(dW: Any, cache: WeightCache) -> tuple[Array, Array]:
    """Gradients of a function of the output of `weight_norm`.

    ``dg = sum(dW u)`` and ``dV = g / |V| (dW - u dg)``, with the direction ``u = V / |V|``.

    Parameters
    ----------
    dW : array-like of the shape of V
        Gradient with respect to the output.
    cache : WeightCache
        From `weight_norm`.

    Returns
    -------
    dV : ndarray of the shape and dtype of V
        Gradient with respect to the vectors, orthogonal to them.
    dg : ndarray of the shape of g, float64
        Gradient with respect to the lengths.

    Raises
    ------
    InvalidParameterError
        For a `dW` of another shape than `V`, and a cache of another function.

    Notes
    -----
    NaN makes the gradients of its vector NaN. Cost: O(size of V) time and memory.

    References
    ----------
    Salimans, T. and Kingma, D. P. (2016). Weight normalization: a simple reparameterization to
    accelerate training of deep neural networks. NeurIPS 29, 901-909, equation 3.

    Examples
    --------
    >>> from skscale.normalization.functional import weight_norm, weight_norm_backward
    >>> W, cache = weight_norm([[3.0, 4.0]], [10.0])
    >>> dV, dg = weight_norm_backward([[1.0, 0.0]], cache)
    >>> dg, dV
    (array([0.6]), array([[ 1.28, -0.96]]))
    """
    arguments.check_cache("weight_norm_backward", cache)
    direction, norm, g, axis, dtype, _ = cache
    dW = arguments.gradient("weight_norm_backward", dW, direction.shape).astype(np.float64)
    dg = np.add.reduce(dW * direction, axis=axis)
    dV = dW - direction * np.expand_dims(dg, axis)
    dV *= np.expand_dims(g / norm, axis)
    return dV.astype(dtype), dg

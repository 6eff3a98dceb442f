"""Root-mean-square normalization: every row by its own size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, final

import numpy as np

from skscale import _kernels as kernels
from skscale._kernels import Array
from skscale.normalization._rowwise import RowwiseNormalizer


@final
class RMSNormalizer(RowwiseNormalizer):
    """Root-mean-square normalization: ``gamma x / sqrt(mean(x^2) + epsilon) + beta``, row by row.

    The mean is that of the squares of the row that is transformed, over all of its columns.
    Zeros stay zeros, so sparse rows stay sparse. But for a factor of ``sqrt(n_features)`` and
    epsilon it is scikit-learn's ``Normalizer(norm="l2")``.

    Parameters
    ----------
    epsilon : float or "auto", default=1e-5
        Positive number added to the mean square, as published; it shrinks rows whose root mean
        square is not far above its square root, 0.003. "auto" adds nothing: rows of any unit
        come out with root mean square 1, and rows of zeros become beta.
    affine : tuple (gamma, beta) or None, default=None
        Scale and shift after normalization, each a number or an array of one number per
        column. None is ``(1, 0)``.

    Attributes
    ----------
    gamma_ : ndarray of shape (n_features_in_,), float64
        Scale of every column.
    beta_ : ndarray of shape (n_features_in_,), float64
        Shift of every column.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, if all are strings.

    Raises
    ------
    InvalidParameterError
        A parameter outside its range, or gamma or beta of the wrong length.
    InfiniteValueError, NonNumericColumnError, SchemaError
        For bad rows or columns; see `skscale.errors`.
    ValueError
        For sparse rows if beta is not 0.

    See Also
    --------
    LayerNormalizer : centres the rows, too.
    StandardScaler : column by column, by statistics of the training rows.

    Notes
    -----
    NaN is left out of the statistics of its row and stays NaN; a row of NaN stays one. Cells that
    a sparse row does not store are zeros, and count. `fit` learns the columns and nothing from
    the rows, which is why there is neither `partial_fit` nor `sample_weight`; `transform` needs
    it all the same, so that gamma, beta and names belong to the columns that come. There is no
    `inverse_transform`, because the size of a row is gone.

    Numbers are float64 inside, and come back in the float dtype of the rows, float16 as float64;
    sparse rows come back as CSR. Cost: O(n_samples * n_features) time, or that of the stored
    values, and no memory but the output.

    References
    ----------
    Zhang, B. and Sennrich, R. (2019). Root mean square layer normalization. NeurIPS 32.

    Examples
    --------
    >>> from skscale import RMSNormalizer
    >>> RMSNormalizer("auto").fit_transform([[3.0, 0.0, 0.0, 4.0], [0.0, 0.0, 0.0, 0.0]])
    array([[1.2, 0. , 0. , 1.6],
           [0. , 0. , 0. , 0. ]])

    A missing value, and a gamma that leaves a column out:

    >>> layer = RMSNormalizer("auto", affine=([1.0, 1.0, 0.0], 0.0))
    >>> layer.fit_transform([[5.0, float("nan"), 5.0]])
    array([[ 1., nan,  0.]])

    Sparse rows stay sparse:

    >>> from scipy.sparse import csr_array
    >>> RMSNormalizer().fit_transform(csr_array([[0.0, 2.0], [0.0, 0.0]])).nnz
    1
    """

    _centred: ClassVar = False

    def _check_sparse(self, X: Any) -> Sequence[str]:
        if not self._keeps_zeros():
            raise ValueError(
                "Sparse rows cannot be shifted: beta moves every zero. Pass affine=(gamma, 0), "
                "which keeps the zeros, or X.toarray() if the table fits in memory."
            )
        return ("csr",)

    def _apply_sparse(self, X: Any, copy: bool) -> Any:
        """Rows by their stored values; those not stored are zeros, which add nothing."""
        result = X.copy()
        result.sum_duplicates()
        row = np.repeat(np.arange(result.shape[0]), np.diff(result.indptr))
        scale, exponent = kernels.stored_scale(
            result.data, result.indptr, result.shape[1], self._epsilon()
        )
        with np.errstate(over="ignore", under="ignore"):
            numbers = np.ldexp(result.data.astype(np.float64), -exponent[row]) / scale[row]
            result.data[...] = numbers * self.gamma_[result.indices]
        return result

    def _keeps_zeros(self) -> bool:
        beta: Any = 0.0
        if hasattr(self, "beta_"):
            beta = self.beta_
        elif isinstance(self.affine, tuple) and len(self.affine) == 2:
            beta = self.affine[1]
        numbers: Array = np.asarray(beta)
        return numbers.dtype.kind not in "iufb" or not numbers.any()

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = self._keeps_zeros()
        return tags

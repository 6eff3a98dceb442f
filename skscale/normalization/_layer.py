"""Layer normalization: every row by its own mean and variance."""

from __future__ import annotations

from typing import final

from skscale.normalization._rowwise import RowwiseNormalizer


@final
class LayerNormalizer(RowwiseNormalizer):
    """Layer normalization: ``gamma (x - mean) / sqrt(variance + epsilon) + beta``, row by row.

    The mean and variance are those of the row that is transformed, over all of its columns; so
    there is nothing that could leak from one row to another. What is left of a row is its shape:
    which columns are above the row's mean, and by how many of the row's standard deviations.

    Parameters
    ----------
    epsilon : float or "auto", default=1e-5
        Positive number added to the variance, as published; it shrinks rows whose standard
        deviation is not far above its square root, 0.003. "auto" adds nothing: rows of any unit
        come out with standard deviation 1, and rows without spread become beta.
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
        For sparse rows: zeros would move.

    See Also
    --------
    GroupNormalizer : the same by groups of columns.
    RMSNormalizer : without centring; keeps zeros, and takes sparse rows.
    StandardScaler : column by column, by statistics of the training rows.

    Notes
    -----
    Columns should be of one unit, or made so by `StandardScaler` first: the mean of an age and an
    income is not the mean of anything.

    NaN is left out of the statistics of its row and stays NaN; a row of NaN stays one. The
    variance is divided by the number of values, not by one less. With "auto", a row has no
    spread if its values are equal, or their standard deviation is below the spacing of floats
    around their mean; so has a row with one value. `fit` learns the columns and nothing from
    the rows, which is why there is neither `partial_fit` nor `sample_weight`; `transform` needs
    it all the same, so that gamma, beta and names belong to the columns that come. There is no
    `inverse_transform`, because the mean and variance of a row are gone.

    Numbers are float64 inside, centred before they are squared, and come back in the float dtype
    of the rows, float16 as float64. Cost: O(n_samples * n_features) time and no memory but the
    output.

    References
    ----------
    Ba, J. L., Kiros, J. R. and Hinton, G. E. (2016). Layer normalization. arXiv:1607.06450.

    Examples
    --------
    >>> from skscale import LayerNormalizer
    >>> LayerNormalizer().fit_transform([[1.0, 3.0], [10.0, 30.0]]).round(3)
    array([[-1.,  1.],
           [-1.,  1.]])

    A missing value, a row that is constant, gamma and beta:

    >>> layer = LayerNormalizer(epsilon="auto", affine=(2.0, [0.0, 0.0, 1.0]))
    >>> layer.fit_transform([[1.0, 3.0, float("nan")], [7.0, 7.0, 7.0]])
    array([[-2.,  2., nan],
           [ 0.,  0.,  1.]])

    Small units need "auto":

    >>> row = [[1e-8, 3e-8]]
    >>> LayerNormalizer().fit_transform(row).round(3), LayerNormalizer("auto").fit_transform(row)
    (array([[-0.,  0.]]), array([[-1.,  1.]]))
    """

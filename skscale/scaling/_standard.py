"""Z-score: every column minus its mean, divided by its standard deviation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, final

import numpy as np
from sklearn.base import OneToOneFeatureMixin
from sklearn.exceptions import NotFittedError

from skscale import _kernels as kernels
from skscale._base import StatisticTransformer
from skscale._blocks import Apply, without_rounding
from skscale._kernels import Array, Rows
from skscale._parameters import boolean, per_column, real
from skscale._reduce import cut
from skscale.statistics import Moments
from skscale.statistics._affine import AffineMap
from skscale.statistics._constant import divisor, plain_count


@final
class StandardScaler(OneToOneFeatureMixin, StatisticTransformer):
    """Standardize every column: ``z = (x - mean) / standard deviation``.

    Use it before methods that compare columns by size: neighbours, support vector machines,
    penalized linear models, principal components. It does not bound the result and does not
    resist outliers.

    Parameters
    ----------
    copy : bool, default=True
        False lets `transform` write into a float array that it is given.
    with_mean : bool, default=True
        Subtract the mean. Must be False for sparse rows.
    with_std : bool, default=True
        Divide by the standard deviation.
    ddof : float, default=0
        The variance is the sum of squared deviations divided by ``count - ddof``: 0 for that of
        the rows themselves, 1 for the unbiased estimate.

    Attributes
    ----------
    mean_ : ndarray of shape (n_features_in_,), float64, or None
        Mean of every column; None if neither mean nor standard deviation is used.
    var_ : ndarray of shape (n_features_in_,), float64, or None
        Variance; None if `with_std` is False.
    scale_ : ndarray of shape (n_features_in_,), float64, or None
        Standard deviation, and 1 for a constant column; None if `with_std` is False.
    n_samples_seen_ : int or float, or ndarray of shape (n_features_in_,)
        Number of rows, or sum of their weights; by column if some values are missing.
    statistic_ : Moments
        All that was kept of the rows.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, if all are strings.

    Raises
    ------
    InfiniteValueError, NonNumericColumnError, SampleWeightError, SchemaError
        For bad rows, columns or weights; see `skscale.errors`.

    See Also
    --------
    MinMaxScaler : scale to an interval.
    Whitener : remove the correlations too.

    Notes
    -----
    NaN is left out of the statistics and stays NaN. A column is constant if all its values are
    equal, or its standard deviation is below the spacing of floats around its mean; it is
    divided by 1. A single row, or ``count <= ddof``, has variance 0 and is such a column.

    Statistics are accumulated in float64, the mean to twice its digits, and rows are centred in
    float64 before they are cast back to their dtype. Cost: O(n_samples * n_features) time,
    O(n_features) memory.

    References
    ----------
    Chan, T. F., Golub, G. H. and LeVeque, R. J. (1983). Algorithms for computing the sample
    variance: analysis and recommendations. The American Statistician 37, 242-247.

    Examples
    --------
    >>> from skscale import StandardScaler
    >>> StandardScaler().fit_transform([[0.0, 7.0], [2.0, 7.0]])  # a constant column becomes 0
    array([[-1.,  0.],
           [ 1.,  0.]])

    Missing values stay missing, and any batch size gives the same result:

    >>> scaler = StandardScaler().partial_fit([[1.0]]).partial_fit([[3.0], [float("nan")]])
    >>> scaler.mean_, int(scaler.n_samples_seen_)
    (array([2.]), 2)

    Digits survive far from zero:

    >>> StandardScaler().fit_transform([[1e15], [1e15 + 1], [1e15 + 2]]).ravel().round(4)
    array([-1.2247,  0.    ,  1.2247])
    """

    _rules: ClassVar = {
        "copy": boolean,
        "with_mean": boolean,
        "with_std": boolean,
        "ddof": real("a non-negative number", lambda value: value >= 0),
    }
    _statistics: ClassVar = (Moments,)
    _allow_missing: ClassVar = True
    _reads_stored: ClassVar = True
    _mean_low_: Any = 0.0
    _exponent_: Any = 0
    _rounding_: Any = np.zeros(0)

    def __init__(
        self, *, copy: bool = True, with_mean: bool = True, with_std: bool = True, ddof: float = 0
    ) -> None:
        self.copy = copy
        self.with_mean = with_mean
        self.with_std = with_std
        self.ddof = ddof

    def transform(self, X: Any, copy: bool | None = None) -> Any:
        """Standardize rows by what was learned.

        Parameters
        ----------
        X : array-like, sparse array or frame of shape (n_samples, n_features)
            Rows with the columns that were learned from.
        copy : bool, default=None
            False to write into `X` if it is a float array; None for the constructor's choice.

        Returns
        -------
        X_new : array or frame of shape (n_samples, n_features)
            In the float dtype of `X`; a frame if `set_output` asks for one.
        """
        return self._transform(X, self.copy if copy is None else copy)

    def inverse_transform(self, X: Any, copy: bool | None = None) -> Any:
        """Undo the standardization.

        Parameters
        ----------
        X : array-like, sparse array or frame of shape (n_samples, n_features)
            Standardized rows. Columns of a frame go by name; some of them are enough.
        copy : bool, default=None
            False to write into `X` if it is a float array; None for the constructor's choice.

        Returns
        -------
        X_original : array or frame of shape (n_samples, n_features)
            In the float dtype of `X`; a frame if `set_output` asks for one.
        """
        return self._inverse_transform(X, self.copy if copy is None else copy)

    def _solve(self, statistic: Moments) -> None:
        used = self.with_mean or self.with_std
        self.mean_ = np.where(statistic.count > 0, statistic.mean, np.nan) if used else None
        self._mean_low_ = statistic.mean_low
        self.n_samples_seen_ = plain_count(statistic.count)
        self.var_ = self.scale_ = None
        if self.with_std:
            self.var_ = statistic.variance(self.ddof)
            self._width_, self._exponent_, self._rounding_ = divisor(statistic, self.ddof)
            with np.errstate(over="ignore"):
                self.scale_ = np.ldexp(self._width_, self._exponent_)

    def _apply(self) -> Apply:
        solution = self._solution(slice(None))

        def apply(rows: Rows, out: Array) -> bool:
            return kernels.standardize(rows, *solution, out)

        if not (self.with_mean and np.count_nonzero(self._rounding_)):
            return apply
        return without_rounding(apply, self._of_learned_mean(self._rounding_))

    def _affine_map(self) -> AffineMap | None:
        mean, low, width, exponent = self._solution(slice(None))
        if np.count_nonzero(exponent) or np.count_nonzero(self._rounding_):
            return None
        return AffineMap(1 / width, np.zeros(len(width)), mean, low)

    def _invert(self, columns: Any) -> Apply:
        solution = self._solution(columns)
        return lambda rows, out: kernels.unstandardize(rows, *solution, out)

    def _solution(self, columns: Any) -> tuple[Array, Array, Array, Array]:
        """Mean and standard deviation as the kernels take them.

        The attributes count, so that someone may set `mean_` and `scale_` and transform.
        """
        self._check_learned()
        given: Any = self.mean_ if self.scale_ is None else self.scale_
        n_features = getattr(self, "n_features_in_", None) or np.size(given)
        mean: Any = 0.0
        low: Any = 0.0
        width: Any = 1.0
        exponent: Any = 0
        if self.with_mean:
            mean, low = self.mean_, self._of_learned_mean(self._mean_low_)
        if self.with_std:
            width = self.scale_
            if np.count_nonzero(self._exponent_) and self._has_learned_scale():
                width, exponent = self._width_, self._exponent_
        return (
            per_column(mean, n_features)[columns],
            per_column(low, n_features)[columns],
            per_column(width, n_features)[columns],
            per_column(exponent, n_features)[columns],
        )

    def _of_learned_mean(self, part: Any) -> Any:
        """What belongs to the mean that was learned, in the columns where `mean_` still is that."""
        statistic = getattr(self, "statistic_", None)
        return part if statistic is None else np.where(self.mean_ == statistic.mean, part, 0.0)

    def _has_learned_scale(self) -> bool:
        scale: Any = self.scale_
        with np.errstate(over="ignore"):
            learned = np.ldexp(self._width_, self._exponent_)
        return np.array_equal(scale, learned, equal_nan=True)

    def _check_learned(self) -> None:
        """Raise if parameters were set after `fit` that ask for what it did not learn."""
        for parameter, attribute in (("with_mean", "mean_"), ("with_std", "scale_")):
            if getattr(self, parameter) and getattr(self, attribute) is None:
                raise NotFittedError(
                    f"This StandardScaler was fitted without {attribute}, which {parameter}=True "
                    f"needs. Fit it again, or set {parameter}=False."
                )

    def _check_sparse(self, X: Any) -> Sequence[str]:
        if self.with_mean:
            raise ValueError(
                "Cannot center sparse matrices: pass `with_mean=False` instead, which keeps the "
                "zeros, or X.toarray() if the table fits in memory."
            )
        return ("csr", "csc")

    def _apply_sparse(self, X: Any, copy: bool) -> Any:
        return self._scale_stored(X.copy() if copy else X, divide)

    def _invert_sparse(self, X: Any, copy: bool) -> Any:
        return self._scale_stored(X.copy() if copy else X, multiply)

    def _scale_stored(self, X: Any, rescale: Any) -> Any:
        if not self.with_std:
            return X
        counts = np.diff(X.indptr)
        column = X.indices if X.format == "csr" else np.repeat(np.arange(X.shape[1]), counts)
        _, _, width, exponent = self._solution(slice(None))
        has_units = np.count_nonzero(exponent) > 0
        with np.errstate(over="ignore"):
            for part in cut(len(X.data), STORED):
                columns = column[part]
                units = exponent.take(columns) if has_units else None
                X.data[part] = rescale(X.data[part], width.take(columns), units)
        return X

    def _empty_columns(self) -> Array:
        return self.statistic_.count == 0

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = not self.with_mean
        return tags


STORED = 2**15
"""Stored values of a sparse table that are scaled at a time, in cache."""


def divide(values: Array, width: Array, exponent: Array | None) -> Array:
    """``values / (width * 2**exponent)`` in float64."""
    return (values if exponent is None else np.ldexp(values.astype(float), -exponent)) / width


def multiply(values: Array, width: Array, exponent: Array | None) -> Array:
    """``values * (width * 2**exponent)`` in float64."""
    product = values * width
    return product if exponent is None else np.ldexp(product, exponent)

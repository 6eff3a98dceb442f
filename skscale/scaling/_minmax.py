"""Min-max: every column to an interval."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, final

import numpy as np
from sklearn.base import OneToOneFeatureMixin

from skscale import _kernels as kernels
from skscale._admission import Occasion
from skscale._base import StatisticTransformer
from skscale._blocks import Apply
from skscale._kernels import Array
from skscale._parameters import Rule, boolean, per_column
from skscale.errors import InvalidParameterError
from skscale.statistics import Extrema
from skscale.statistics._affine import AffineMap
from skscale.statistics._constant import plain_count


@final
class MinMaxScaler(OneToOneFeatureMixin, StatisticTransformer):
    """Scale every column to an interval: ``z = a + (b - a) (x - min) / (max - min)``.

    Use it where inputs must be bounded, or where zero has to stay the smallest value. One
    outlier squeezes all other values together: compare `StandardScaler`.

    Parameters
    ----------
    feature_range : tuple (a, b), default=(0, 1)
        Ends of the interval, ``a < b``. Each a number, or an array of one number per column.
    copy : bool, default=True
        False lets `transform` write into a float array that it is given.
    clip : bool, default=False
        Whether values beyond those learned from go to the nearer end of the interval.

    Attributes
    ----------
    data_min_ : ndarray of shape (n_features_in_,), float64
        Smallest value of every column.
    data_max_ : ndarray of shape (n_features_in_,), float64
        Largest value of every column.
    data_range_ : ndarray of shape (n_features_in_,), float64
        ``data_max_ - data_min_``.
    scale_ : ndarray of shape (n_features_in_,), float64
        ``(b - a) / data_range_``, with a range of 1 for a constant column.
    min_ : ndarray of shape (n_features_in_,), float64
        ``a - data_min_ * scale_``.
    n_samples_seen_ : int or float
        Number of rows, or sum of their weights.
    statistic_ : Extrema
        All that was kept of the rows.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, if all are strings.

    Raises
    ------
    InvalidParameterError
        ``a >= b`` for some column.
    InfiniteValueError, NonNumericColumnError, SampleWeightError, SchemaError
        For bad rows, columns or weights; see `skscale.errors`.

    See Also
    --------
    StandardScaler : zero mean and unit variance.

    Notes
    -----
    NaN is left out and stays NaN. A constant column, and so a single row, goes to ``a``. Weights
    matter only where they are 0: such a row is not there.

    The smallest value goes to ``a`` and the largest to ``b`` exactly, and no training row leaves
    the interval: the offset is subtracted before anything is multiplied. Cost:
    O(n_samples * n_features) time, O(n_features) memory.

    References
    ----------
    Han, J., Kamber, M. and Pei, J. (2011). Data Mining: Concepts and Techniques, 3rd edition,
    section 3.5.2.

    Examples
    --------
    >>> from skscale import MinMaxScaler
    >>> MinMaxScaler().fit_transform([[1.0, 5.0], [2.0, 5.0], [4.0, 5.0]])
    array([[0.        , 0.        ],
           [0.33333333, 0.        ],
           [1.        , 0.        ]])

    One interval per column:

    >>> scaler = MinMaxScaler(feature_range=([0, -1], [1, 1]))
    >>> scaler.fit_transform([[1, 1], [2, 2]])
    array([[ 0., -1.],
           [ 1.,  1.]])

    Values never seen, with and without `clip`; NaN stays:

    >>> MinMaxScaler(clip=True).fit([[0.0], [1.0]]).transform([[2.0], [float("nan")]])
    array([[ 1.],
           [nan]])
    """

    _rules: ClassVar = {
        "feature_range": Rule(
            "a tuple (lower, upper)", lambda value: isinstance(value, tuple) and len(value) == 2
        ),
        "copy": boolean,
        "clip": boolean,
    }
    _statistics: ClassVar = (Extrema,)
    _allow_missing: ClassVar = True
    # scikit-learn's class takes no weights: a Pipeline is not to ask whether this one wants any.
    __metadata_request__fit: ClassVar = {"sample_weight": False}
    __metadata_request__partial_fit: ClassVar = {"sample_weight": False}

    def __init__(
        self, feature_range: tuple[Any, Any] = (0, 1), *, copy: bool = True, clip: bool = False
    ) -> None:
        self.feature_range = feature_range
        self.copy = copy
        self.clip = clip

    def _plan(self, occasion: Occasion) -> None:
        self._lower_, self._upper_ = interval(self.feature_range, occasion.n_features)

    def _solve(self, statistic: Extrema) -> None:
        seen = statistic.count > 0
        self.data_min_ = np.where(seen, statistic.minimum, np.nan)
        self.data_max_ = np.where(seen, statistic.maximum, np.nan)
        width, exponent = statistic.span()
        with np.errstate(over="ignore", invalid="ignore"):
            self.data_range_ = np.ldexp(width, exponent)
            self._width_ = np.where(width == 0, 1.0, width)
            self._exponent_ = exponent
            self.scale_ = np.ldexp((self._upper_ - self._lower_) / self._width_, -exponent)
            self.min_ = self._lower_ - self.data_min_ * self.scale_
        self.n_samples_seen_ = plain_count(np.array([statistic.total]))

    def _apply(self) -> Apply:
        solution = self._solution(slice(None))
        return lambda rows, out: kernels.interpolate(rows, *solution, self.clip, out)

    def _is_affine(self) -> bool:
        return not self.clip

    def _affine_map(self) -> AffineMap | None:
        low, low_rest, width, exponent, lower, upper = self._solution(slice(None))
        if self.clip or np.count_nonzero(exponent):
            return None
        return AffineMap((upper - lower) / width, lower, low, low_rest)

    def _invert(self, columns: Any) -> Apply:
        solution = self._solution(columns)
        return lambda rows, out: kernels.uninterpolate(rows, *solution, out)

    def _solution(self, columns: Any) -> tuple[Array, Array, Array, Array, Array, Array]:
        """Minimum, its low part, width, exponent, and the ends of the interval."""
        return (
            self.data_min_[columns],
            self.statistic_.minimum_low[columns],
            self._width_[columns],
            self._exponent_[columns],
            self._lower_[columns],
            self._upper_[columns],
        )

    def _check_sparse(self, X: Any) -> Sequence[str]:
        raise TypeError(
            "MinMaxScaler does not support sparse input, because it moves zeros. Use "
            "StandardScaler(with_mean=False), or MaxAbsScaler of scikit-learn, which keep them."
        )

    def _empty_columns(self) -> Array:
        return self.statistic_.count == 0


def interval(feature_range: tuple[Any, Any], n_features: int) -> tuple[Array, Array]:
    """Lower and upper end for every column.

    Raises
    ------
    InvalidParameterError
        Not numbers, not one per column, or a lower end that is not below the upper one.
    """
    try:
        lower, upper = (
            per_column(np.asarray(end, dtype=np.float64), n_features) for end in feature_range
        )
    except (TypeError, ValueError):
        raise InvalidParameterError(
            "The 'feature_range' parameter of MinMaxScaler must be a tuple (lower, upper), each "
            f"end a number or {n_features} numbers, one per column. Got {feature_range!r} instead."
        ) from None
    with np.errstate(over="ignore", invalid="ignore"):
        ordered = (lower < upper) & np.isfinite(upper - lower)
    if not ordered.all():
        column = int(np.argmin(ordered))
        raise InvalidParameterError(
            "Minimum of desired feature range must be smaller than maximum, and their distance "
            "finite. The 'feature_range' parameter of MinMaxScaler must be a tuple (lower, upper) "
            f"with lower < upper. Got {feature_range!r} instead: {lower[column]:g} and "
            f"{upper[column]:g} for column {column}."
        )
    return lower, upper

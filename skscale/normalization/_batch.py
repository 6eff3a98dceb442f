"""Batch normalization with statistics of the training rows only."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, final

import numpy as np
from sklearn.base import OneToOneFeatureMixin

from skscale import _kernels as kernels
from skscale._admission import Occasion
from skscale._base import StatisticTransformer
from skscale._blocks import Apply, without_rounding
from skscale._kernels import Array, Rows
from skscale._parameters import Rule, integer, none, one_of, per_column, real
from skscale._reduce import block_rows
from skscale.errors import IncompatibleStatisticError, InvalidParameterError
from skscale.statistics import PooledBatches, RunningMoments
from skscale.statistics._constant import divisor, plain_count


@final
class BatchNormalizer(OneToOneFeatureMixin, StatisticTransformer):
    """Batch normalization as inference does it: ``gamma (x - mean) / sqrt(var + epsilon) + beta``.

    The mean and variance are those of the training rows, pooled or as exponential running
    averages of mini-batches; `transform` never looks at the statistics of the rows it is given.
    With `momentum=None` and `affine=None` it is `StandardScaler` in other clothes; running
    averages follow a stream whose distribution drifts.

    Parameters
    ----------
    batch_size : int, default=256
        Rows in one mini-batch of `fit`, taken in order, those of weight 0 counted; the remainder
        joins the last one. One call of `partial_fit` is one mini-batch, whatever its size.
    momentum : float in (0, 1], "cumulative" or None, default=None
        Weight of the newest mini-batch in the running averages, as in PyTorch:
        ``new = (1 - momentum) old + momentum batch``, debiased, so that no start value is left
        in them. "cumulative" is what PyTorch calls None: plain averages over mini-batches of
        their means and variances. None pools all rows: exact, and the same for any order and
        batch size.
    epsilon : "auto" or float, default="auto"
        Positive number added to the variance, as published (1e-5 is usual); it shrinks columns
        whose standard deviation is not far above its square root. "auto" adds nothing and
        treats constant columns as `StandardScaler` does.
    affine : tuple (gamma, beta) or None, default=None
        Scale and shift after normalization, each a number or an array of one number per
        column. None is ``(1, 0)``.
    ddof : float, default=0
        Variances are sums of squares divided by ``count - ddof``; frameworks use 1 for running
        averages.

    Attributes
    ----------
    running_mean_, running_var_ : ndarray of shape (n_features_in_,), float64
        Mean and variance that rows are normalized with.
    gamma_, beta_ : ndarray of shape (n_features_in_,), float64
        Scale and shift.
    n_batches_seen_ : int
        Number of mini-batches.
    n_samples_seen_ : int or float
        Number of rows, or sum of their weights.
    statistic_ : PooledBatches or RunningMoments
        All that was kept of the rows.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, if all are strings.

    Raises
    ------
    InvalidParameterError
        A parameter outside its range, or gamma or beta of the wrong length.
    InfiniteValueError, NonNumericColumnError, SampleWeightError, SchemaError
        For bad rows, columns or weights; see `skscale.errors`.

    See Also
    --------
    StandardScaler : the same map without mini-batches, gamma and beta.

    Notes
    -----
    NaN is left out of the statistics and stays NaN. A mini-batch of one row moves a running mean
    and not the running variance. A constant column goes to beta under ``epsilon="auto"``. Where
    gamma is 0, `inverse_transform` gives the running mean. Cost: O(n_samples * n_features) time,
    O(n_features) memory.

    References
    ----------
    Ioffe, S. and Szegedy, C. (2015). Batch normalization: accelerating deep network training by
    reducing internal covariate shift. ICML 37, 448-456.

    Examples
    --------
    >>> from skscale import BatchNormalizer
    >>> rows = [[0.0], [2.0], [4.0], [8.0]]
    >>> BatchNormalizer().fit(rows).running_mean_
    array([3.5])

    Running averages weigh the last mini-batch most:

    >>> BatchNormalizer(batch_size=2, momentum=0.5).fit(rows).running_mean_
    array([4.33333333])

    One row, a constant column, gamma and beta:

    >>> BatchNormalizer(affine=(2.0, 1.0)).fit([[5.0]]).transform([[5.0]])
    array([[1.]])
    """

    _rules: ClassVar = {
        "batch_size": integer(at_least=1),
        "momentum": real("a number in (0, 1]", lambda value: 0 < value <= 1)
        | one_of("cumulative")
        | none,
        "epsilon": one_of("auto") | real("a positive number", lambda value: value > 0),
        "affine": Rule(
            "a tuple (gamma, beta)", lambda value: isinstance(value, tuple) and len(value) == 2
        )
        | none,
        "ddof": real("a non-negative number", lambda value: value >= 0),
    }
    _statistics: ClassVar = (PooledBatches, RunningMoments)
    _allow_missing: ClassVar = True

    def __init__(
        self,
        batch_size: int = 256,
        *,
        momentum: float | Literal["cumulative"] | None = None,
        epsilon: str | float = "auto",
        affine: tuple[Any, Any] | None = None,
        ddof: float = 0,
    ) -> None:
        self.batch_size = batch_size
        self.momentum = momentum
        self.epsilon = epsilon
        self.affine = affine
        self.ddof = ddof

    def _plan(self, occasion: Occasion) -> None:
        self.gamma_, self.beta_ = affine_parameters(self.affine, occasion.n_features)
        self._check_earlier(occasion.earlier)
        self._batch_rows_ = occasion.n_rows if occasion.is_partial else self.batch_size

    def _check_earlier(self, earlier: Any) -> None:
        """Refuse a statistic that these parameters would not have measured."""
        if earlier is None or (self.momentum is None and isinstance(earlier, PooledBatches)):
            return
        if self.momentum is None or isinstance(earlier, PooledBatches):
            found = type(earlier).__name__
        elif (earlier.momentum, earlier.ddof) != (self.momentum, self.ddof):
            found = f"RunningMoments with momentum={earlier.momentum!r} and ddof={earlier.ddof:g}"
        else:
            return
        raise IncompatibleStatisticError(
            f"BatchNormalizer with momentum={self.momentum!r} and ddof={self.ddof:g} cannot go on "
            f"from {found}. Fit from the start, or set the parameters to what was measured."
        )

    def _block_rows(self, n_features: int) -> int:
        if self.momentum is not None:
            return self._batch_rows_
        # Pooled moments do not see the batches: whole ones go together.
        return self._batch_rows_ * max(1, block_rows(n_features) // self._batch_rows_)

    def _measure(self, rows: Rows, weights: Array | None) -> PooledBatches | RunningMoments:
        if self.momentum is None:
            return PooledBatches.of(rows, weights, batch_size=self._batch_rows_)
        return RunningMoments.of(rows, weights, momentum=self.momentum, ddof=self.ddof)

    def _solve(self, statistic: PooledBatches | RunningMoments) -> None:
        moments = statistic.moments if isinstance(statistic, PooledBatches) else statistic
        self.running_mean_ = np.where(moments.count > 0, moments.mean, np.nan)
        self._mean_low_ = moments.mean_low
        self.running_var_ = moments.variance(self.ddof)
        self.n_batches_seen_ = statistic.n_batches
        self.n_samples_seen_ = plain_count(np.array([statistic.total]))
        if self.epsilon == "auto":
            self._width_, self._exponent_, self._rounding_ = divisor(moments, self.ddof)
        else:
            width, exponent = moments.deviation(self.ddof)
            root = float(np.sqrt(self.epsilon))
            unit = np.where(exponent == 0, 0, np.maximum(exponent, np.frexp(root)[1]))
            width = np.hypot(np.ldexp(width, exponent - unit), np.ldexp(root, -unit))
            self._width_ = np.where(moments.count > 0, width, np.nan)
            self._exponent_, self._rounding_ = unit, np.zeros(len(unit))

    def _apply(self) -> Apply:
        solution = self._solution(slice(None))

        def standardize(rows: Rows, out: Array) -> bool:
            return kernels.standardize(rows, *solution, out)

        normalize = without_rounding(standardize, self._rounding_)

        def apply(rows: Rows, out: Array) -> bool:
            normalized = np.empty(rows.shape)
            finite = normalize(rows, normalized)
            with np.errstate(over="ignore", invalid="ignore"):
                np.copyto(out, normalized * self.gamma_ + self.beta_, casting="same_kind")
            return finite

        is_plain = (self.gamma_ == 1).all() and (self.beta_ == 0).all()
        return normalize if is_plain else apply

    def _invert(self, columns: Any) -> Apply:
        solution, gamma, beta = self._solution(columns), self.gamma_[columns], self.beta_[columns]
        divisor = np.where(gamma == 0, np.inf, gamma)  # nothing is left of such a column

        def invert(rows: Array, out: Array) -> bool:
            with np.errstate(over="ignore", invalid="ignore"):
                normalized = np.subtract(rows, beta, dtype=np.float64) / divisor
            return kernels.unstandardize(normalized, *solution, out)

        return invert

    def _solution(self, columns: Any) -> tuple[Array, Array, Array, Array]:
        """Mean and standard deviation as the kernels take them."""
        return (
            self.running_mean_[columns],
            self._mean_low_[columns],
            self._width_[columns],
            self._exponent_[columns],
        )

    def _empty_columns(self) -> Array:
        return np.isnan(self.running_mean_)


def affine_parameters(affine: tuple[Any, Any] | None, n_features: int) -> tuple[Array, Array]:
    """Gamma and beta for every column.

    Raises
    ------
    InvalidParameterError
        Not finite numbers, or not one per column.
    """
    try:
        gamma, beta = (
            per_column(np.asarray(part, dtype=np.float64), n_features).copy()
            for part in ((1.0, 0.0) if affine is None else affine)
        )
        finite = bool(np.isfinite(gamma).all() and np.isfinite(beta).all())
    except (TypeError, ValueError):
        finite = False
    if not finite:
        raise InvalidParameterError(
            "The 'affine' parameter of BatchNormalizer must be a tuple (gamma, beta), each "
            f"a finite number or {n_features} of them, one per column. Got {affine!r} instead."
        )
    return gamma, beta

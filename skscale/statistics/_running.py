"""Averages of the moments of mini-batches: exponentially weighted, or plain ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, Self

import numpy as np

from skscale._kernels import LOWEST, Array
from skscale.errors import IncompatibleStatisticError
from skscale.statistics import _invariants as invariants
from skscale.statistics._means import Mean, common_exponent, merge_means
from skscale.statistics._moments import Moments
from skscale.statistics._protocol import frozen


@frozen
class RunningMoments:
    """Averages of batch means and batch variances: exponentially weighted and debiased, or plain.

    After batches 1 .. t a batch i weighs ``momentum * (1 - momentum)**(t - i)``, and the
    averages are divided by the sum of these weights, ``1 - (1 - momentum)**t``. So there is
    no start value to forget, and merging is associative: the earlier side is damped by the
    batches of the later one. It is not commutative. With ``momentum="cumulative"`` every batch
    weighs 1, whatever its size.

    Parameters
    ----------
    momentum : float in (0, 1] or "cumulative"
        Weight of the newest batch, as in PyTorch: ``new = (1 - momentum) old + momentum batch``.
        "cumulative" is PyTorch's None: the momentum of batch t is ``1 / t``.
    ddof : float
        A batch variance is divided by its count minus this.
    total : float
        Sum of the weights of the rows.
    n_batches : int
        Number of mini-batches.
    mean, mean_low, mean_weight : arrays of shape (n_features,)
        Debiased average of the batch means, as an unevaluated sum of two floats, and the sum
        of the batch weights in it: 0 where no batch had a value.
    deviation_square, deviation_exponent, variance_weight : arrays of shape (n_features,)
        The same for the batch variances, ``deviation_square * 4**deviation_exponent``. A
        batch with `ddof` values or fewer, or a single one, moves the mean and not the
        variance.
    wide : bool array of shape (n_features,)
        Whether the column held integers that float64 cannot hold.

    References
    ----------
    Ioffe, S. and Szegedy, C. (2015). Batch normalization: accelerating deep network training
    by reducing internal covariate shift. Kingma, D. P. and Ba, J. (2015). Adam: a method for
    stochastic optimization, section 3 (the debiasing).

    Examples
    --------
    >>> from skscale.statistics import RunningMoments
    >>> one = RunningMoments.of([[0.0], [2.0]], momentum=0.5)
    >>> two = RunningMoments.of([[4.0], [8.0]], momentum=0.5)
    >>> one.merge(two).mean  # (0.25 * 1 + 0.5 * 6) / 0.75
    array([4.33333333])
    """

    momentum: float | Literal["cumulative"]
    ddof: float
    total: float
    n_batches: int
    mean: Array
    mean_low: Array
    mean_weight: Array
    deviation_square: Array
    deviation_exponent: Array
    variance_weight: Array
    wide: Array

    @classmethod
    def of(
        cls,
        rows: Any,
        weights: Any = None,
        *,
        momentum: float | Literal["cumulative"] = 0.1,
        ddof: float = 0,
    ) -> Self:
        """Measure one mini-batch."""
        moments = Moments.of(rows, weights)
        width, exponent = moments.deviation(ddof)
        has_variance = (moments.count > ddof) & ((moments.count > 1) | (width > 0))
        weight = 1.0 if momentum == "cumulative" else float(momentum)
        return cls(
            momentum if momentum == "cumulative" else weight,
            float(ddof),
            moments.total,
            int(moments.total > 0),
            moments.mean,
            moments.mean_low,
            np.where(moments.count > 0, weight, 0.0),
            np.where(has_variance, width * width, 0.0),
            exponent,
            np.where(has_variance, weight, 0.0),
            moments.wide,
        )

    def merge(self, later: Self) -> Self:
        """Averages over these batches followed by the `later` ones."""
        if (self.momentum, self.ddof) != (later.momentum, later.ddof):
            raise IncompatibleStatisticError(
                f"Running moments with momentum={self.momentum!r} and ddof={self.ddof} cannot be "
                f"merged with momentum={later.momentum!r} and ddof={later.ddof}."
            )
        earlier_weight = self._damped(self.mean_weight, later.mean_weight)
        mean, _ = merge_means(
            Mean(earlier_weight, self.mean, self.mean_low),
            Mean(later.mean_weight, later.mean, later.mean_low),
        )
        old = self._damped(self.variance_weight, later.variance_weight)
        weight = old + later.variance_weight
        exponent = common_exponent(self._spread(), later._spread())
        share = later.variance_weight / np.where(weight == 0, 1.0, weight)
        earlier_square = np.ldexp(self.deviation_square, 2 * (self.deviation_exponent - exponent))
        later_square = np.ldexp(later.deviation_square, 2 * (later.deviation_exponent - exponent))
        return type(self)(
            self.momentum,
            self.ddof,
            self.total + later.total,
            self.n_batches + later.n_batches,
            mean.high,
            mean.low,
            mean.weight,
            (1 - share) * earlier_square + share * later_square,
            exponent,
            weight,
            self.wide | later.wide,
        )

    def _damped(self, weight: Array, later: Array) -> Array:
        """What is left of a weight of these batches once later ones have theirs."""
        return weight if self.momentum == "cumulative" else weight * (1 - later)

    def _spread(self) -> Array:
        return np.where(self.deviation_square == 0, LOWEST, self.deviation_exponent)

    @property
    def n_features(self) -> int:
        return len(self.mean)

    @property
    def count(self) -> Array:
        """Sum of the batch weights in the mean: 0 where no value was seen."""
        return self.mean_weight

    def deviation(self, ddof: float | None = None) -> tuple[Array, Array]:
        """Standard deviation as ``(width, exponent)``, standing for ``width * 2**exponent``."""
        self._check_ddof(ddof)
        return np.sqrt(self.deviation_square), self.deviation_exponent

    def variance(self, ddof: float | None = None) -> Array:
        """Debiased average of the batch variances; NaN where no value was seen."""
        self._check_ddof(ddof)
        with np.errstate(over="ignore"):
            variance = np.ldexp(self.deviation_square, 2 * self.deviation_exponent)
        return np.where(self.mean_weight == 0, np.nan, variance)

    def _faults(self) -> Iterator[str]:
        floats = ("mean", "mean_low", "mean_weight", "deviation_square", "variance_weight")
        yield from invariants.shapes(
            self,
            dict.fromkeys(floats, ("float64", "n_features"))
            | {"deviation_exponent": ("int64", "n_features"), "wide": ("bool", "n_features")},
        )
        yield from invariants.weights("total", self.total)
        yield from invariants.batches(self)
        is_plain = self.momentum == "cumulative"
        if not is_plain and (isinstance(self.momentum, str) or not 0 < self.momentum <= 1):
            yield "momentum is neither in (0, 1] nor 'cumulative'"
        if not np.isfinite(self.ddof):
            yield "ddof is not finite"
        most = float(self.n_batches) if is_plain else min(1.0, float(self.n_batches))
        for name in ("mean_weight", "variance_weight"):
            weight = getattr(self, name)
            if not ((weight >= 0) & (weight <= most * (1 + invariants.SLACK))).all():
                yield f"{name} is to be between 0 and {most:g}"
        yield from invariants.pairs(self, "mean")
        yield from invariants.squares("deviation_square", self.deviation_square)
        yield from invariants.exponents("deviation_exponent", self.deviation_exponent)
        yield from invariants.zero(self.mean_weight == 0, self, "mean", "variance_weight")
        yield from invariants.zero(self.variance_weight == 0, self, "deviation_square")

    def _check_ddof(self, ddof: float | None) -> None:
        if ddof is not None and ddof != self.ddof:
            raise IncompatibleStatisticError(
                f"The batch variances were divided by count - {self.ddof:g} when they were "
                f"measured; ddof={ddof:g} comes too late."
            )

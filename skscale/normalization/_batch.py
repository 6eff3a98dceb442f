"""Batch normalization with statistics of the training rows only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, Self, final

import numpy as np
from sklearn.base import OneToOneFeatureMixin

from skscale import _tables as tables
from skscale._admission import Occasion, check_weights
from skscale._base import StatisticTransformer
from skscale._blocks import Apply, measure_table
from skscale._kernels import Array, Rows
from skscale._opening import open_table
from skscale._parameters import Rule, integer, is_integer, none, one_of, real
from skscale._reduce import block_rows
from skscale.errors import ConditionError, IncompatibleStatisticError
from skscale.normalization._activation import ACTIVATIONS, inverse_of
from skscale.normalization._conditions import (
    Affine,
    given_conditions,
    is_affine,
    numbered,
    or_their_mean,
    position_of,
)
from skscale.normalization._normalization import Normalization, is_renorm
from skscale.statistics import Moments, PooledBatches, RunningMoments
from skscale.statistics._constant import plain_count


@final
class BatchNormalizer(OneToOneFeatureMixin, StatisticTransformer):
    """Batch normalization as inference does it: ``gamma (x - mean) / sqrt(var + epsilon) + beta``.

    The mean and variance are those of the training rows, pooled or as running averages of
    mini-batches; `transform` never looks at the statistics of the rows it is given, which is what
    `normalize_batch` is for. With the defaults it is `StandardScaler` in other clothes; running
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
    affine : tuple (gamma, beta), dict of such tuples or None, default=None
        Scale and shift after normalization, each a number or an array of one number per
        column. A dict has those of every condition, which are strings, ints or bools: all rows
        share the statistics, and each has the gamma and beta of its condition. None is
        ``(1, 0)``.
    condition : str, int or None, default=None
        Name or position of the column of `X` that holds the conditions. It is set apart: not
        normalized, and not in what `transform` gives. None if there is no such column;
        conditions are then an argument of `fit` and `transform`.
    activation : str, default="identity"
        What follows beta: "identity", "relu", "tanh", "sigmoid" or "softclip", which is
        ``x / sqrt(1 + (x / 3)**2)``.
    renorm : tuple (r_max, d_max) or None, default=None
        Limits of batch renormalization in `normalize_batch`; ``(1, 0)`` renormalizes nothing,
        ``(3, 5)`` is usual.
    ddof : float, default=0
        Variances are sums of squares divided by ``count - ddof``; frameworks use 1 for running
        averages. Of `ddof` values or fewer there is no variance: they count as constant.

    Attributes
    ----------
    running_mean_ : ndarray of shape (n_features_out,), float64
        Mean that rows are normalized with.
    running_var_ : ndarray of shape (n_features_out,), float64
        Variance that rows are normalized with.
    conditions_ : tuple
        Keys of `affine`, if it has some.
    gamma_ : ndarray of shape (n_features_out,), float64
        Scale. Of shape (n_conditions, n_features_out) if there are conditions.
    beta_ : ndarray of shape (n_features_out,), float64
        Shift. Of the same shape as `gamma_`.
    n_batches_seen_ : int
        Number of mini-batches.
    n_samples_seen_ : int or float
        Number of rows, or sum of their weights.
    statistic_ : PooledBatches or RunningMoments
        All that was kept of the rows.
    n_features_in_ : int
        Number of columns, that of the condition included.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, if all are strings.

    Raises
    ------
    InvalidParameterError
        A parameter outside its range, or gamma or beta of the wrong length.
    ConditionError
        Conditions that are missing, not one per row, or of another kind than the keys of `affine`.
    InfiniteValueError, NonNumericColumnError, SampleWeightError, SchemaError
        For bad rows, columns or weights; see `skscale.errors`.

    See Also
    --------
    StandardScaler : the same map without mini-batches, gamma and beta.

    Notes
    -----
    NaN is left out of the statistics and stays NaN. A mini-batch of one row moves a running mean
    and not the running variance. A constant column goes to beta under ``epsilon="auto"``. Where
    gamma is 0, `inverse_transform` gives the running mean. A condition that is missing or not
    among the keys of `affine` has the mean gamma and the mean beta of these. Cost:
    O(n_samples * n_features) time, O(n_features) memory; a column of conditions within an array
    costs a copy of it.

    In a Pipeline, conditions that are an argument are routed:
    ``set_fit_request(condition=True).set_transform_request(condition=True)``.

    References
    ----------
    Ioffe, S. and Szegedy, C. (2015). Batch normalization: accelerating deep network training by
    reducing internal covariate shift. ICML 37, 448-456.

    Ioffe, S. (2017). Batch renormalization: towards reducing minibatch dependence in
    batch-normalized models. NeurIPS 30.

    Dumoulin, V., Shlens, J. and Kudlur, M. (2017). A learned representation for artistic style.
    ICLR. De Vries, H. et al. (2017). Modulating early visual processing by language. NeurIPS 30.
    (Conditions.)

    Holzmueller, D., Grinsztajn, L. and Steinwart, I. (2024). Better by default: strong pre-tuned
    MLPs and boosted trees on tabular data. NeurIPS 37. ("softclip".)

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

    The same statistics and another gamma for each condition; for others, their mean:

    >>> normalizer = BatchNormalizer(affine={"man": (1.0, 0.0), "woman": (3.0, 0.0)})
    >>> normalizer.fit([[0.0], [2.0]], condition=["man", "woman"])
    BatchNormalizer(...) <learned from 2 rows x 1 column>
    >>> normalizer.transform([[2.0]] * 3, condition=["man", "woman", "child"]).ravel()
    array([1., 3., 2.])

    The training step of a network, and what it leaves behind:

    >>> normalizer = BatchNormalizer(momentum=0.5, activation="relu")
    >>> normalizer.normalize_batch([[0.0], [2.0]]).ravel()
    array([0., 1.])
    >>> normalizer.normalize_batch([[4.0], [8.0]]).ravel()
    array([0., 1.])
    >>> normalizer.transform([[8.0]]).round(3), normalizer.running_mean_
    (array([[2.117]]), array([4.33333333]))
    """

    _rules: ClassVar = {
        "batch_size": integer(at_least=1),
        "momentum": real("a number in (0, 1]", lambda value: 0 < value <= 1)
        | one_of("cumulative")
        | none,
        "epsilon": one_of("auto") | real("a positive number", lambda value: value > 0),
        "affine": Rule(
            "a tuple (gamma, beta), or a dict of such tuples by condition, the keys all strings, "
            "all ints or all bools",
            is_affine,
        )
        | none,
        "condition": Rule(
            "the name or the position of a column",
            lambda value: isinstance(value, str) or (is_integer(value) and value >= 0),
        )
        | none,
        "activation": one_of(*ACTIVATIONS),
        "renorm": Rule("a tuple (r_max, d_max) with r_max >= 1 and d_max >= 0", is_renorm) | none,
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
        affine: tuple[Any, Any] | Mapping[Any, tuple[Any, Any]] | None = None,
        condition: str | int | None = None,
        activation: str = "identity",
        renorm: tuple[float, float] | None = None,
        ddof: float = 0,
    ) -> None:
        self.batch_size = batch_size
        self.momentum = momentum
        self.epsilon = epsilon
        self.affine = affine
        self.condition = condition
        self.activation = activation
        self.renorm = renorm
        self.ddof = ddof

    # Learning -------------------------------------------------------------------------

    def fit(
        self, X: Any, y: Any = None, sample_weight: Any = None, *, condition: Any = None
    ) -> Self:
        """Learn from rows, forgetting what was learned before.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            Training rows. They are read block by block and not kept.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,) or float, default=None
            Non-negative; a row of weight 0 is not there.
        condition : array-like of shape (n_samples,), default=None
            Condition of every row, checked here as in `transform`; statistics are those of all.

        Returns
        -------
        self : object
            The fitted transformer. If `fit` raises, it is as it was before.
        """
        self._check_conditions(X, condition, keep=False)
        return super().fit(X, y, sample_weight)

    def partial_fit(
        self, X: Any, y: Any = None, sample_weight: Any = None, *, condition: Any = None
    ) -> Self:
        """Learn from one more mini-batch.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            Rows that follow the ones learned from. One row is enough.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,) or float, default=None
            As in `fit`.
        condition : array-like of shape (n_samples,), default=None
            As in `fit`.

        Returns
        -------
        self : object
            The fitted transformer. If `partial_fit` raises, it is as it was before.
        """
        self._check_conditions(X, condition, keep=True)
        return super().partial_fit(X, y, sample_weight)

    def normalize_batch(self, X: Any, sample_weight: Any = None, *, condition: Any = None) -> Any:
        """Normalize a mini-batch by its own statistics, and learn from it: the training step.

        What a layer of a network does in training mode. The mean and variance (that of
        ``ddof=0``, whatever `ddof` is) are the batch's; then gamma, beta and the activation.
        What is learned is what `partial_fit` learns. With `renorm`, normalized values become
        ``r z + d`` before gamma and beta, where ``r = clip(sigma_B / sigma, 1 / r_max, r_max)``
        and ``d = clip((mu_B - mu) / sigma, -d_max, d_max)`` lead from the batch's statistics to
        those learned before it, as far as allowed. Where there are none before it, it is plain.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            Rows of one mini-batch. A single one has no variance and goes to beta, or with
            `renorm` to ``gamma d + beta``.
        sample_weight : array-like of shape (n_samples,) or float, default=None
            Weights in all statistics; rows of weight 0 are normalized too.
        condition : array-like of shape (n_samples,), default=None
            As in `fit`.

        Returns
        -------
        X_new : array or frame of shape (n_samples, n_features_out)
            As from `transform`. If `normalize_batch` raises, the transformer is as it was.
        """
        tables.refuse_lazy(X)
        learned = self._draft(keep=True).partial_fit(X, None, sample_weight, condition=condition)
        batch, table = learned._draft(keep=True), open_table(learned, X)
        weights = check_weights(sample_weight, table.shape[0])
        step = block_rows(table.shape[1])
        moments = measure_table(table, weights, Moments.of, step, type(self).__name__)
        batch._normalization_ = own = Normalization.of(moments, self.epsilon, ddof=0)
        batch.running_mean_ = own.mean
        if self.renorm is not None and hasattr(self, "statistic_"):
            r, d = own.towards(self._normalization(), *self.renorm)
            batch.gamma_, batch.beta_ = batch.gamma_ * r, batch.gamma_ * d + batch.beta_
        normalized = batch.transform(X, condition=condition)
        self._become(learned)
        return normalized

    # Applying -------------------------------------------------------------------------

    def fit_transform(
        self, X: Any, y: Any = None, sample_weight: Any = None, *, condition: Any = None
    ) -> Any:
        """Learn from rows, and map them by what was learned.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            Training rows.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,) or float, default=None
            As in `fit`.
        condition : array-like of shape (n_samples,), default=None
            As in `fit` and `transform`.

        Returns
        -------
        X_new : array or frame of shape (n_samples, n_features_out)
            What `transform` gives.
        """
        fitted = self.fit(X, y, sample_weight, condition=condition)
        return fitted.transform(X, condition=condition)

    def transform(self, X: Any, *, condition: Any = None) -> Any:
        """Map rows by what was learned, and by nothing else.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            Rows with the columns that were learned from.
        condition : array-like of shape (n_samples,), default=None
            Condition of every row, which chooses its gamma and beta: strings, ints or bools in
            any container. Not seen before or missing: the mean of the known ones. Needed if
            `affine` is by condition, unless a column of `X` holds it.

        Returns
        -------
        X_new : array or frame of shape (n_samples, n_features_out)
            In the float dtype of `X`; a frame if `set_output` asks for one.

        Raises
        ------
        ConditionError
            A condition that is missing where one is needed, or not one per row, or of a kind
            that the keys of `affine` are not.
        """
        labels = self._labels(X, condition, getattr(self, "conditions_", ()))
        return self._transform(X, True, labels)

    def inverse_transform(self, X: Any, *, condition: Any = None) -> Any:
        """Map transformed rows back, through the activation, beta and gamma.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features_out)
            Transformed rows. Columns of a frame go by name: reordered ones are put in order, and
            some of them are enough.
        condition : array-like of shape (n_samples,), default=None
            As in `transform`; needed too where `transform` took it from a column, which its
            results do not have.

        Returns
        -------
        X_original : array or frame of shape (n_samples, n_features_out)
            In the float dtype of `X`; a frame if `set_output` asks for one. A value at an end of
            the range of the activation comes back infinite, one beyond it NaN.

        Raises
        ------
        InvalidParameterError
            If the activation is "relu", which has no inverse.
        SchemaError
            Unknown or missing columns, with the difference.
        ConditionError
            As `transform`.
        """
        conditions = getattr(self, "conditions_", ())
        is_given = condition is not None or conditions
        labels = self._number(X, condition, conditions) if is_given else None
        return self._inverse_transform(X, True, labels)

    def get_feature_names_out(self, input_features: Any = None) -> Array:
        """Names of the columns that `transform` gives: all but that of the condition.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of the columns that were learned from, if these had none.

        Returns
        -------
        feature_names_out : ndarray of str
        """
        names = super().get_feature_names_out(input_features)
        return self._without_condition(names)

    # Learning, step by step ---------------------------------------------------------------

    def _plan(self, occasion: Occasion) -> None:
        self.conditions_, self.gamma_, self.beta_ = Affine.of(self.affine, occasion.n_features)
        self._check_earlier(occasion.earlier)
        if self.condition is not None and occasion.n_rows == 0:
            raise IncompatibleStatisticError(
                f"BatchNormalizer(condition={self.condition!r}) takes that column from its rows, "
                "and a statistic has none. Fit with condition=None, and pass the conditions."
            )
        self._condition_, self._activation_ = self.condition, self.activation
        self._batch_rows_ = occasion.n_rows if occasion.is_partial else self.batch_size

    def _check_earlier(self, earlier: Any) -> None:
        """Refuse a statistic that these parameters would not have measured."""
        column = vars(self).get("_condition_", self.condition)
        if earlier is not None and column != self.condition:
            raise IncompatibleStatisticError(
                f"BatchNormalizer with condition={self.condition!r} cannot go on from what it "
                f"learned with condition={column!r}. Fit from the start."
            )
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
        self._normalization_ = Normalization.of(moments, self.epsilon, self.ddof)
        self.running_mean_ = self._normalization_.mean
        self.running_var_ = moments.variance(self.ddof)
        self.n_batches_seen_ = statistic.n_batches
        self.n_samples_seen_ = plain_count(np.array([statistic.total]))

    def _apply(self) -> Apply:
        normalize = self._normalization().apply()
        gamma, beta = self._scales(slice(None))
        forward, is_linear = ACTIVATIONS[self._activation_].forward, self._activation_ == "identity"

        def apply(rows: Rows, out: Array, labels: Any = ...) -> bool:
            values = out if out.dtype == np.float64 else np.empty(rows.shape)
            finite = normalize(rows, values)
            with np.errstate(over="ignore", invalid="ignore"):
                values *= gamma[labels]
                values += beta[labels]
                if not (is_linear and values is out):
                    np.copyto(out, values if is_linear else forward(values), casting="same_kind")
            return finite

        is_plain = is_linear and not self.conditions_
        return normalize if is_plain and (gamma == 1).all() and (beta == 0).all() else apply

    def _invert(self, columns: Any) -> Apply:
        restore, (gamma, beta) = self._normalization().invert(columns), self._scales(columns)
        backward = inverse_of(self._activation_)

        def invert(rows: Array, out: Array, labels: Any = ...) -> bool:
            scale = gamma[labels]
            with np.errstate(over="ignore", invalid="ignore"):
                values = backward(np.asarray(rows, dtype=np.float64)) - beta[labels]
                lost = (scale == 0) & ~np.isnan(values)  # nothing is left of such a value
                normalized = np.where(lost, 0.0, values / np.where(scale == 0, 1.0, scale))
            return restore(normalized, out)

        return invert

    def _normalization(self) -> Normalization:
        return self._normalization_._replace(mean=self.running_mean_)

    def _scales(self, columns: Any) -> tuple[Array, Array]:
        """Gamma and beta; by condition, where there are some."""
        gamma, beta = self.gamma_[..., columns], self.beta_[..., columns]
        return (or_their_mean(gamma), or_their_mean(beta)) if self.conditions_ else (gamma, beta)

    # The condition ------------------------------------------------------------------------

    def _column(self) -> str | int | None:
        """The column of the condition, as it was at the fit."""
        return vars(self).get("_condition_", self.condition)

    def _set_apart(self, X: Any) -> int | None:
        column = self._column()
        if column is None:
            return None
        names = tables.column_names(X)
        if names is None and "feature_names_in_" in vars(self):
            names = list(self.feature_names_in_)
        return position_of(column, names, tables.as_mixed(X).shape[1], "_condition_" in vars(self))

    def _check_conditions(self, X: Any, condition: Any, *, keep: bool) -> None:
        """Look at the conditions of rows before anything is learned from them."""
        known = tuple(self.affine) if isinstance(self.affine, Mapping) else ()
        if known or condition is not None or self.condition is not None:
            self._check_parameters()
            self._draft(keep)._labels(X, condition, known)

    def _labels(self, X: Any, condition: Any, known: Sequence[Any]) -> Array | None:
        """Number of the condition of every row; None where all rows are treated alike."""
        self._refuse_lazy(X, condition, known)
        apart = self._set_apart(X)
        if apart is None:
            return self._number(X, condition, known) if condition is not None or known else None
        if condition is not None:
            raise ConditionError(
                f"condition is both an argument and, by condition={self._column()!r}, a column of "
                "X. Pass one of them."
            )
        values = tables.values_of(tables.column_at(tables.as_mixed(X), apart))
        labels = numbered(values, known)
        return labels if known else None

    def _refuse_lazy(self, X: Any, condition: Any, known: Sequence[Any]) -> None:
        is_asked = condition is not None or known or self._column() is not None
        if is_asked and tables.is_lazy(X):
            raise ConditionError(
                f"X is a Dask {type(X).__name__}, and the conditions of its rows are not known "
                "before it is computed. Fit without conditions; rows that have some are "
                "transformed in memory, such as by X.map_partitions(normalizer.transform)."
            )

    def _number(self, X: Any, condition: Any, known: Sequence[Any]) -> Array | None:
        self._refuse_lazy(X, condition, known)
        if condition is None:
            raise ConditionError(
                "condition is None, and 'affine' has gamma and beta by condition: pass condition=, "
                f"an array of one such as {known[0]!r} for every row of X."
            )
        labels = numbered(given_conditions(condition, X), known)
        return labels if known else None

    def _place(self) -> int | None:
        """Position of the condition's column among those that were learned from."""
        column = self._column()
        return list(self.feature_names_in_).index(column) if isinstance(column, str) else column

    def _without_condition(self, of_columns: Array) -> Array:
        place = self._place()
        return of_columns if place is None else np.delete(of_columns, place)

    def _width_out(self) -> int:
        return len(self.running_mean_)

    def _names_in(self) -> Array:
        return self._without_condition(super()._names_in())

    def _empty_columns(self) -> Array:
        empty, place = np.isnan(self.running_mean_), self._place()
        return empty if place is None else np.insert(empty, place, False)

"""The one template of all transformers: measure rows, solve the statistic, apply the solution.

A concrete class says what to measure (`_measure`), what to learn from it (`_solve`), and how
rows map to rows and back (`_apply`, `_invert`). One that learns nothing from rows, or has no way
back, begins one or two classes further up. Admission of tables, names, weights, blocks,
threads, outputs and failed fits are dealt with here, once.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

from skscale import _tables as tables
from skscale._admission import (
    Occasion,
    check_feature_names,
    check_stored_values,
    warn_of_empty,
)
from skscale._blocks import Apply, apply_table, output_for
from skscale._callbacks import CallbackSupportMixin, fit_task, with_callbacks
from skscale._diagrams import API_PAGE, captioned, learned_from
from skscale._jobs import Computation, compute
from skscale._kernels import Array, Rows, narrow
from skscale._lazy import learn_lazily, map_lazily
from skscale._learning import learn_table
from skscale._opening import open_table, open_transformed
from skscale._parameters import Rule, check_parameters
from skscale._reduce import block_rows
from skscale._tables import Table
from skscale.errors import IncompatibleStatisticError
from skscale.statistics import Statistic
from skscale.statistics._affine import AffineMap


class TableTransformer(  # type: ignore[call-arg]
    CallbackSupportMixin, TransformerMixin, BaseEstimator, ABC, auto_wrap_output_keys=None
):
    """A transformer of tables of numbers: how they are admitted, mapped, and given back.

    Attributes
    ----------
    n_features_in_ : int
        Number of columns learned from.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, if all are strings.
    """

    _rules: ClassVar[Mapping[str, Rule]] = {}
    _allow_missing: ClassVar[bool] = False
    _columnwise: ClassVar[bool] = True
    # What matrix products run in; work on columns, which has none, leaves BLAS alone.
    _products: ClassVar[AbstractContextManager[None]] = nullcontext()
    # The page that scikit-learn's diagrams link to.
    _doc_link_module = "skscale"
    _doc_link_template = API_PAGE.format(name="skscale.{estimator_name}")

    def __init_subclass__(cls, **keywords: Any) -> None:
        # Results are frames where frames were asked for; scikit-learn would look once more, and
        # compute those that are lazy.
        super().__init_subclass__(auto_wrap_output_keys=None, **keywords)

    # Applying -------------------------------------------------------------------------

    def transform(self, X: Any) -> Any:
        """Map rows by what was learned, and by nothing else.

        Parameters
        ----------
        X : array-like, sparse array or frame of shape (n_samples, n_features)
            Rows with the columns that were learned from.

        Returns
        -------
        X_new : array or frame of shape (n_samples, n_features_out)
            In the float dtype of `X`; a frame if `set_output` asks for one.
        """
        return self._transform(X, self._copy())

    def set_output(self, *, transform: str | None = None) -> Self:
        """Say what `transform` and `inverse_transform` give.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"}, default=None
            "default" is an array, and a Dask DataFrame for one. None changes nothing.

        Returns
        -------
        self : object
            This transformer.
        """
        if transform is not None:
            self._sklearn_output_config = {"transform": transform}
        return self

    # What a concrete class fills in -----------------------------------------------------

    @abstractmethod
    def _apply(self) -> Apply:
        """How a block of rows is transformed; only fitted numbers may be looked at."""

    def _set_apart(self, X: Any) -> int | None:
        """Position of a column that is not mapped, and need not be of numbers; here none."""
        return None

    def _check_sparse(self, X: Any) -> Sequence[str] | bool:
        """Sparse formats that pass, or an error that says what to do instead."""
        return False

    def _apply_sparse(self, X: Any, copy: bool) -> Any:
        """Sparse rows to sparse rows; None where the output is dense."""
        return None

    # Learning, step by step ---------------------------------------------------------------

    def _draft(self, keep: bool) -> Self:
        """A copy to fit; without `keep`, stripped of what was learned (names ending in _)."""
        draft = self.__new__(type(self))
        draft.__dict__ = {
            name: value for name, value in vars(self).items() if keep or not name.endswith("_")
        }
        return draft

    def _become(self, draft: Self) -> Self:
        """Take over a draft that succeeded, in one assignment."""
        self.__dict__ = draft.__dict__
        return self

    def _check_parameters(self) -> None:
        check_parameters(self, self._rules)

    # Applying, step by step ---------------------------------------------------------------

    def _copy(self) -> bool:
        return getattr(self, "copy", True)

    def _transform(self, X: Any, copy: bool, labels: Array | None = None) -> Any:
        if tables.is_lazy(X):
            return map_lazily(self, X, "_transform")
        table = open_table(self, X)
        if table.is_sparse:
            check_stored_values(table, type(self).__name__, self._allow_missing)
            result = self._apply_sparse(table.source, copy)
            if result is not None:
                tables.refuse_sparse(tables.output_kind(self))
                return result
        n_columns = getattr(self, "_n_features_out", table.shape[1])
        out = output_for(table, n_columns, copy, self._columnwise)
        with self._products:
            self._write(table, self._apply(), out, labels)
        return self._as_asked(out, table, self.get_feature_names_out)

    def _as_asked(self, out: Array, table: Table, names: Callable[[], Any]) -> Any:
        """Results as `set_output` asks for them; names are made only where a frame needs them."""
        if (kind := tables.output_kind(self)) == "default":
            return out
        return tables.to_frame(out, kind, names(), table, self._columnwise)

    def _write(self, table: Table, apply: Apply, out: Array, labels: Array | None = None) -> None:
        method, allow_missing = type(self).__name__, self._allow_missing
        apply_table(table, apply, out, method, allow_missing=allow_missing, labels=labels)

    def _names_in(self) -> Array:
        generated = [f"x{i}" for i in range(self.n_features_in_)]
        return getattr(self, "feature_names_in_", np.array(generated, dtype=object))

    def _width_out(self) -> int:
        width: Any = getattr(self, "_n_features_out", self.n_features_in_)
        return int(width)

    # Showing ----------------------------------------------------------------------------

    def _learned(self) -> str:
        """What was learned, and from how much, in words; empty before the fit."""
        statistic = getattr(self, "statistic_", None)
        return "" if statistic is None else learned_from(statistic)

    def __repr__(self, N_CHAR_MAX: int = 700) -> str:
        text, learned = super().__repr__(N_CHAR_MAX), self._learned()
        return f"{text} <{learned}>" if learned else text

    def _sk_visual_block_(self) -> Any:
        return captioned(self, self._learned())

    # What scikit-learn asks -------------------------------------------------------------

    def __sklearn_is_fitted__(self) -> bool:
        return any(name.endswith("_") and not name.startswith("_") for name in vars(self))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self._allow_missing
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


class InvertibleTransformer(TableTransformer, ABC):
    """A transformer of tables that has a way back.

    Who has none has no `inverse_transform` either, so that nobody plans with it.
    """

    def inverse_transform(self, X: Any) -> Any:
        """Map transformed rows back.

        Parameters
        ----------
        X : array-like, sparse array or frame of shape (n_samples, n_features_out)
            Transformed rows. Columns of a frame go by name: reordered ones are put in
            order and, where every column is transformed by itself, some of them are enough.

        Returns
        -------
        X_original : array or frame of shape (n_samples, n_features)
            In the float dtype of `X`; a frame if `set_output` asks for one.

        Raises
        ------
        SchemaError
            Unknown or missing columns, with the difference.
        """
        return self._inverse_transform(X, self._copy())

    @abstractmethod
    def _invert(self, columns: Any) -> Apply:
        """How a transformed block is mapped back; `columns` are the fitted ones it has."""

    def _invert_sparse(self, X: Any, copy: bool) -> Any:
        """Sparse rows back to sparse rows; None where they come back dense."""
        return None

    def _inverse_transform(self, X: Any, copy: bool, labels: Array | None = None) -> Any:
        if tables.is_lazy(X):
            return map_lazily(self, X, "_inverse_transform")
        table, columns = open_transformed(self, X)
        if table.is_sparse:
            check_stored_values(table, type(self).__name__, True)
            result = self._invert_sparse(table.source, copy)
            if result is not None:
                return result
        is_part = self._columnwise and not isinstance(columns, slice)
        n_columns = table.shape[1] if self._columnwise else self.n_features_in_
        out = output_for(table, n_columns, copy, self._columnwise)
        with self._products:
            invert, method = self._invert(columns), type(self).__name__
            apply_table(
                table,
                lambda rows, *others: invert(narrow(rows), *others),
                out,
                method,
                labels=labels,
            )
        kept = columns if is_part else slice(None)
        return self._as_asked(out, table, lambda: self._names_in()[kept])


class StatisticTransformer(InvertibleTransformer, ABC):
    """A transformer that learns from a mergeable statistic of rows, never from rows.

    Attributes
    ----------
    statistic_ : Statistic
        All that was kept of the training rows.
    """

    _statistics: ClassVar[tuple[type, ...]] = ()
    _reads_stored: ClassVar[bool] = False

    # Learning -------------------------------------------------------------------------

    @with_callbacks
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Learn from rows, forgetting what was learned before.

        Parameters
        ----------
        X : array-like, sparse array or frame of shape (n_samples, n_features)
            Training rows. They are read block by block and not kept.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,) or float, default=None
            Non-negative. An integer weight stands for that many repetitions of the row; a
            row of weight 0 is not there.

        Returns
        -------
        self : object
            The fitted transformer. If `fit` raises, it is as it was before.
        """
        with fit_task(self, X, y, sample_weight):
            return self._learn(X, sample_weight, None, is_partial=False)

    @with_callbacks
    def partial_fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Learn from more rows: the result is that of `fit` on all rows so far.

        Parameters
        ----------
        X : array-like, sparse array or frame of shape (n_samples, n_features)
            Rows that follow the ones learned from. One row is enough.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,) or float, default=None
            As in `fit`.

        Returns
        -------
        self : object
            The fitted transformer. If `partial_fit` raises, it is as it was before.
        """
        with fit_task(self, X, y, sample_weight):
            earlier = getattr(self, "statistic_", None)
            return self._learn(X, sample_weight, earlier, is_partial=True)

    def fit_statistic(self, statistic: Statistic, feature_names: Any = None) -> Self:
        """Learn from a statistic that was measured elsewhere.

        Parameters
        ----------
        statistic : Statistic
            Of a kind that this transformer measures itself.
        feature_names : sequence of str, default=None
            Names of the columns.

        Returns
        -------
        self : object
            The fitted transformer.

        Raises
        ------
        IncompatibleStatisticError
            For another kind of statistic, or one of no rows.
        """
        if not isinstance(statistic, self._statistics):
            kinds = " or ".join(kind.__name__ for kind in self._statistics)
            raise IncompatibleStatisticError(
                f"{type(self).__name__} is solved from {kinds}; got {type(statistic).__name__}."
            )
        if statistic.total == 0:
            raise IncompatibleStatisticError(
                f"{type(self).__name__} cannot be solved from a statistic of no rows."
            )
        draft = self._draft(keep=False)
        draft.n_features_in_ = statistic.n_features
        if feature_names is not None:
            draft.feature_names_in_ = check_feature_names(feature_names, statistic.n_features)
        draft._dtype_ = np.dtype(np.float64)
        draft._check_parameters()
        draft._plan(Occasion(0, statistic.n_features, 0.0, statistic))
        compute(draft._settle(statistic))
        return self._become(draft)

    # What a concrete class fills in -----------------------------------------------------

    def _kind(self) -> Any:
        """Kind of statistic that is measured, once planned."""
        return self._statistics[0]

    def _measure(self, rows: Rows, weights: Array | None) -> Statistic:
        """Statistic of one block of rows."""
        statistic: Statistic = self._kind().of(rows, weights)
        return statistic

    @abstractmethod
    def _solve(self, statistic: Any) -> Computation[None] | None:
        """Set the fitted attributes from a statistic of at least one row.

        Long work on matrices is yielded as a job.
        """

    def _affine_map(self) -> AffineMap | None:
        """What `_apply` does, where that is affine, in numbers of ordinary size."""
        return None

    def _is_affine(self) -> bool:
        """Whether `_affine_map` is to be expected, as far as parameters tell."""
        return type(self)._affine_map is not StatisticTransformer._affine_map

    def _plan(self, occasion: Occasion) -> None:
        """Check what only the shape can tell, and choose what to measure."""

    def _refine(self) -> bool:
        """Whether the solution needs a finer statistic of the same rows, now planned."""
        return False

    def _refinements(self) -> set[type]:
        """Kinds of statistics that `_refine` may find to be needed, once planned."""
        return set()

    def _recast(self, earlier: Any) -> Any:
        """Earlier statistic in the kind that is measured now."""
        return earlier

    def _block_rows(self, n_features: int) -> int:
        return block_rows(n_features)

    def _empty_columns(self) -> Array | None:
        """Mask of the columns without a single value."""
        return None

    # Learning, step by step ---------------------------------------------------------------

    def _learn(self, X: Any, sample_weight: Any, earlier: Any, *, is_partial: bool) -> Self:
        draft = self._draft(keep=earlier is not None)
        draft._check_parameters()
        learn = learn_lazily if tables.is_lazy(X) else learn_table
        learn(draft, X, sample_weight, earlier, is_partial)
        return self._become(draft)

    def _learn_from(
        self,
        occasion: Occasion,
        measured: Callable[[], Statistic],
        counted: Callable[[], Occasion] | None = None,
    ) -> Computation[None]:
        """Learn, as a draft, from what is `measured` as planned.

        Where the rows are counted only then, what they call for may be something else.
        """
        self._plan(occasion)
        statistic = measured()
        if counted is not None:
            kind = self._kind()
            self._plan(counted())
            statistic = statistic if self._kind() is kind else measured()
        yield from self._settle(statistic)
        if self._refine():
            yield from self._settle(measured())
        warn_of_empty(self._empty_columns(), getattr(self, "feature_names_in_", None))

    def _settle(self, statistic: Any) -> Computation[None]:
        with self._products:
            yield from self._solve(statistic) or ()
        self.statistic_ = statistic

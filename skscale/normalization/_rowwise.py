"""What normalizers of rows share: nothing is learned from rows but the columns that they have."""

from __future__ import annotations

from abc import ABC
from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import OneToOneFeatureMixin

from skscale import _kernels as kernels
from skscale import _tables as tables
from skscale._base import TableTransformer
from skscale._blocks import Apply, check_table
from skscale._callbacks import fit_task, with_callbacks
from skscale._kernels import Array, Rows
from skscale._opening import open_table
from skscale._parameters import Rule, none, one_of, real
from skscale._words import counted
from skscale.normalization._affine import affine_parameters


class RowwiseNormalizer(OneToOneFeatureMixin, TableTransformer, ABC):
    """A transformer that normalizes every row by statistics of that row."""

    _rules: ClassVar = {
        "epsilon": one_of("auto") | real("a positive number", lambda value: value > 0),
        "affine": Rule(
            "a tuple (gamma, beta)", lambda value: isinstance(value, tuple) and len(value) == 2
        )
        | none,
    }
    _allow_missing: ClassVar = True
    _columnwise: ClassVar = False
    _centred: ClassVar[bool] = True

    def __init__(
        self, epsilon: str | float = 1e-5, *, affine: tuple[Any, Any] | None = None
    ) -> None:
        self.epsilon = epsilon
        self.affine = affine

    @with_callbacks
    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn the columns: their number, their names, and what gamma and beta are for each.

        Parameters
        ----------
        X : array-like, sparse array or frame of shape (n_samples, n_features)
            Any rows. They are checked and teach nothing.
        y : None
            Ignored.

        Returns
        -------
        self : object
            The fitted transformer. If `fit` raises, it is as it was before.
        """
        with fit_task(self, X, y, None):
            draft = self._draft(keep=False)
            draft._check_parameters()
            table = open_table(draft, tables.sample_of(X), reset=True)
            draft._learn_columns()
            check_table(table, type(self).__name__, allow_missing=self._allow_missing)
            return self._become(draft)

    def _learn_columns(self) -> None:
        self.gamma_, self.beta_ = affine_parameters(
            type(self).__name__, self.affine, self.n_features_in_
        )

    def _check_sparse(self, X: Any) -> Sequence[str] | bool:
        raise ValueError(
            f"Sparse rows cannot be centred: {type(self).__name__} subtracts the mean of each row, "
            "which fills every zero. Pass X.toarray() if the table fits in memory, or use "
            "RMSNormalizer, which keeps the zeros."
        )

    def _groups(self) -> Sequence[Array]:
        """Positions of the columns that have statistics of their own."""
        return (np.arange(self.n_features_in_),)

    def _apply(self) -> Apply:
        parts = kernels.Parts(self._groups(), self.gamma_, self.beta_)
        epsilon = self._epsilon()

        def apply(rows: Rows, out: Array) -> bool:
            return kernels.normalize_rows(rows, parts, self._centred, epsilon, out)

        return apply

    def _epsilon(self) -> float:
        """What is added to variances; 0 for "auto", where rows without spread become beta."""
        return 0.0 if isinstance(self.epsilon, str) else float(self.epsilon)

    def _learned(self) -> str:
        if not hasattr(self, "n_features_in_"):
            return ""
        return f"for {counted(self.n_features_in_, 'column')}, learned from no rows"

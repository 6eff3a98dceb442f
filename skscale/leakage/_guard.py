"""A callback that looks at the rows of every fit."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import sklearn

from skscale import _tables as tables
from skscale._callbacks import SUPPORTED
from skscale._parameters import check_parameter, one_of, real
from skscale._words import counted
from skscale.errors import HeldOutRowsError, MissingDependencyError
from skscale.leakage._check import Finding
from skscale.leakage._rows import paired_hashes


class LeakageGuard:
    """A callback that stops a fit on rows that were to be held out.

    Register it with `set_callbacks` on a Pipeline, a search or a transformer. Clones keep it, so
    it holds in every fold of a cross-validation too.

    Parameters
    ----------
    X_test : array-like, sparse array or frame of shape (n_rows, n_features)
        Rows that nothing may be fitted on. They are looked at in every fit, and not copied.
    action : {"raise", "record"}, default="raise"
        What to do about a fit on held-out rows.
    allowed : float, default=0.0
        Largest share of the held-out rows that may be among the rows of a fit, for tables in which
        rows repeat by chance: `check_split` tells how many do.

    Attributes
    ----------
    findings : list of Finding
        One for every fit on held-out rows: `message`, `rows` (of `X_test`) and `numbers`.
    n_tables : int
        Number of tables that were compared. If it is 0 after a fit, nothing was looked at.
    n_passed_over : int
        Number of tables with other columns than `X_test`, or the same in another order.

    Raises
    ------
    MissingDependencyError
        With scikit-learn before 1.9, which has no callbacks.
    HeldOutRowsError
        From `fit`, with `action="raise"`.

    See Also
    --------
    check_split : compare train and test rows once, without callbacks.

    Notes
    -----
    A Pipeline tells its callbacks the table that goes into it and into every step; a table is
    compared if it has the columns of `X_test`, in the same order; the repr of the guard says how
    many were, since a guard that compared nothing found nothing either. Rows are equal if all their
    numbers and words are.
    The guard cannot see rows that were changed before they came to `fit` (a table scaled as a
    whole, say), nor a fit of an estimator that does not support callbacks outside of one that does.
    In processes of joblib it raises as ever, and records in the process only.

    Cost: O((n_samples + n_rows) * n_features) and a sort of the hashes for every table.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.model_selection import train_test_split
    >>> from sklearn.pipeline import make_pipeline
    >>> from skscale import StandardScaler
    >>> from skscale.leakage import LeakageGuard
    >>> X, y = load_wine(return_X_y=True)
    >>> X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
    >>> model = make_pipeline(StandardScaler(), LogisticRegression())
    >>> model = model.set_callbacks(LeakageGuard(X_test))  # doctest: +SKIP
    >>> model.fit(X_train, y_train).score(X_test, y_test) > 0.9  # doctest: +SKIP
    True
    >>> model.fit(X, y)  # doctest: +SKIP
    Traceback (most recent call last):
    skscale.errors.HeldOutRowsError: 45 of 45 held-out rows are among the 178 rows that ...
    """

    def __init__(
        self, X_test: Any, *, action: Literal["raise", "record"] = "raise", allowed: float = 0.0
    ) -> None:
        if not SUPPORTED:
            raise MissingDependencyError(
                "LeakageGuard needs the callbacks of scikit-learn 1.9 or later; installed is "
                f"{sklearn.__version__}: pip install -U scikit-learn. check_split(X_train, X_test) "
                "compares the same rows without them."
            )
        check_parameter("LeakageGuard", "action", one_of("raise", "record"), action)
        share = real("a share from 0 to 1", lambda value: 0 <= value <= 1)
        check_parameter("LeakageGuard", "allowed", share, allowed)
        self.X_test = tables.as_mixed(X_test)
        self.action = action
        self.allowed = allowed
        self.findings: list[Finding] = []
        self.n_tables = self.n_passed_over = 0

    def setup(self, estimator: Any, context: Any) -> None:
        """Nothing to prepare."""

    def teardown(self, estimator: Any, context: Any) -> None:
        """Nothing to clear away."""

    def on_fit_task_begin(self, estimator: Any, context: Any, *, X: Any = None) -> None:
        """Compare the rows of a fit that begins with those that are held out.

        Parameters
        ----------
        estimator : estimator
            What is being fitted.
        context : sklearn.callback.CallbackContext
            Which task of it.
        X : array-like, sparse array or frame, default=None
            The rows.

        Raises
        ------
        HeldOutRowsError
            With `action="raise"`.
        """
        if X is None:
            return
        X = tables.as_mixed(X)
        if not self._is_comparable(X):
            self.n_passed_over += 1
            return
        self.n_tables += 1
        fitted, held_out = paired_hashes(X, self.X_test)
        is_there = np.isin(held_out, fitted)
        if is_there.mean() <= self.allowed:
            return
        message = (
            f"{is_there.sum()} of {counted(len(held_out), 'held-out row')} are among the "
            f"{counted(len(fitted), 'row')} that {type(estimator).__name__} is being fitted on "
            f"(task {context.task_name!r}). Fit on the train rows only: estimator.fit(X_train). If "
            "rows repeat by chance, give LeakageGuard the share to allow."
        )
        rows = tuple(np.flatnonzero(is_there).tolist())
        self.findings.append(Finding("held-out rows", message, (), rows, {"n_rows": len(rows)}))
        if self.action == "raise":
            raise HeldOutRowsError(message)

    def on_fit_task_end(self, estimator: Any, context: Any) -> None:
        """Nothing to do: whatever was wrong was wrong when the fit began."""

    @property
    def ok(self) -> bool:
        """Whether no fit on held-out rows was recorded."""
        return not self.findings

    def _is_comparable(self, X: Any) -> bool:
        names, held_out = tables.column_names(X), tables.column_names(self.X_test)
        same = names is None or held_out is None or names == held_out
        return same and X.shape[1] == self.X_test.shape[1]

    def __repr__(self) -> str:
        n_rows, n_columns = self.X_test.shape
        seen = (
            f"{counted(self.n_tables, 'table')} compared" if self.n_tables else "no table compared"
        )
        if self.n_passed_over:
            seen += f", {self.n_passed_over} passed over: other columns"
        if self.n_tables:
            n_found = len(self.findings)
            seen += f", {counted(n_found, 'finding') if n_found else 'nothing found'}"
        return (
            f"LeakageGuard(<{n_rows} rows x {n_columns} columns>, action={self.action!r}) <{seen}>"
        )

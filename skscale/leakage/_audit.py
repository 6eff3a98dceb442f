"""Does it learn from training rows only? Held-out rows are changed, and nothing else may move."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from skscale import _tables as tables
from skscale._blas import single_threaded_blas
from skscale._parameters import check_parameter, integer, none, one_of
from skscale.errors import LeakageError
from skscale.leakage._folds import read_folds
from skscale.leakage._probes import Material, grouping_columns
from skscale.leakage._report import LEAKY, AuditReport
from skscale.leakage._targets import read_target
from skscale.leakage._trial import FoldAudit, Known


def audit(
    target: Any,
    X: Any,
    y: Any = None,
    *,
    cv: Any = 5,
    order: str | None = None,
    max_rows: int | None = 2000,
    groups: Any = None,
    random_state: int = 0,
) -> AuditReport:
    """Look for anything that is learned from rows that are held out.

    Held-out rows are replaced, and training rows held still. Then nothing that was learned, and
    nothing that was made of training rows, may move by a single bit.

    Parameters
    ----------
    target : estimator or callable
        An estimator or Pipeline, fitted or not: clones of it are fitted on training rows. Or a
        function ``features(X)`` or ``features(X, y)`` that is run on the whole table before it is
        split. Or a function ``prepare(X, y, train, test)`` that is told the split, and returns its
        training part, or a tuple, dict or record of parts of which some are made of held-out rows:
        told by their names, their numbers of rows, or the order of `train_test_split`.
    X : table of shape (n_rows, n_columns)
        An array, a pandas or polars frame, a series, a sparse matrix or a list of rows that the
        target takes. It is never changed; the target is handed copies.
    y : array-like of shape (n_rows,) or (n_rows, n_outputs), default=None
        Labels, where the target takes them.
    cv : int, splitter or iterable of (train, test), default=5
        Splits. A number stands for so many folds of shuffled rows, stratified for classes; of
        whole groups, if there are groups; or for `TimeSeriesSplit`, where there is time.
    order : {"time"} or None, default=None
        With "time", rows are in its order: all from the first test row on are held out, earlier
        ones must not depend on later ones, and lags are allowed.
    max_rows : int or None, default=2000
        Rows to look at, at most: whole groups, in the proportions of classes, or the first ones
        where there is time. None for all.
    groups : array-like of shape (n_rows,), default=None
        Rows of one group are never split, by splitters that know groups. No held-out row is moved
        into a group of training rows by a column of `X` that is the same as this.
    random_state : int, default=0
        Seed of the audit. Also given to every `random_state` of an estimator that is None.

    Returns
    -------
    report : AuditReport
        True if, and only if, its `status` is "clean". See there for `findings` and `to_frame`.

    Raises
    ------
    TargetError
        If the target is none of these, or fails on the table as it is.
    MutatedInputError
        If the target writes into what it is given.
    SplitError
        If `cv` gives no splits, or impossible ones.
    InvalidParameterError
        If `order` or `max_rows` is none of the above.
    ValueError
        If `y` or `groups` has not as many entries as `X` has rows.

    Notes
    -----
    *Probes.* Held-out rows are replaced by extreme values above their columns (1e300, or tamer ones
    where the target refuses these; unseen texts), by low ones below (zeros, or half of the
    smallest value, where it takes no negative numbers), by the training row with the rarest
    values, and by missing values. "Beside gaps", values are missing before and after, which brings
    out imputers. Labels of held-out rows are permuted, and replaced by others and by low ones; they
    may not reach the features of their own rows either. "Half of the batch" changes half of the
    test rows, both ways, while results of the other half must stand still. With time, "later rows"
    are changed instead, all from the middle of the test rows on, and columns in order stay so.
    Results for test rows alone and among all rows are compared up to rounding.

    *Outcomes.* "clean": nothing moved. "leaky": something did, and the target is what it was when
    run once more as it is. "inconclusive": the target differs from itself. "not run": the target
    refuses such rows, or its results cannot be matched with rows. Neither of these is a pass.

    *No tolerance.* A movement of floats by 16 ulp or fewer under extreme values must show under
    training rows too; any other counts. What a transform keeps, and nothing depends on, does not.

    *What cannot be seen.* A function that ignores its argument and uses a table of its own; what
    was learned before, by a fitted object inside a function; a cache that answers for a changed
    table; a dependence that no probe happens to move, such as that on a mode that stays the same.
    "Clean" says no more than: no dependence observed under these probes.

    *Cost.* An estimator is fitted twice for each fold, and a third time if it takes missing values;
    a function is called 6 to 14 times. Rows and results are copied and compared in between.

    References
    ----------
    .. [1] S. Kaufman, S. Rosset, C. Perlich, O. Stitelman (2012). Leakage in data mining:
       formulation, detection, and avoidance. ACM Transactions on Knowledge Discovery from Data 6.
    .. [2] S. Kapoor, A. Narayanan (2023). Leakage and the reproducibility crisis in
       machine-learning-based science. Patterns 4(9).

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import FunctionTransformer, scale
    >>> from skscale import PCA, StandardScaler
    >>> from skscale.leakage import audit
    >>> rows = np.random.default_rng(0).normal(size=(100, 3))
    >>> audit(make_pipeline(StandardScaler(), PCA(2)), rows).status
    'clean'

    Scaled before the split:

    >>> report = audit(scale, rows)
    >>> report.status, report.findings[0].where
    ('leaky', 'features[:, 0]')

    Scaled by the statistics of whatever batch comes along, and where:

    >>> report = audit(make_pipeline(FunctionTransformer(scale), PCA(2)), rows)
    >>> report.findings[0].where
    'functiontransformer.transform(X)[:, 0]'

    Lags are leaks between shuffled rows, and are none in time:

    >>> def lag(X):
    ...     return np.vstack([np.zeros((1, 3)), X[:-1]])
    >>> audit(lag, rows).status, audit(lag, rows, order="time").status
    ('leaky', 'clean')

    A target that differs from itself shows nothing:

    >>> random = np.random.default_rng(0)
    >>> audit(lambda X: X + random.normal(size=X.shape), rows).status
    'inconclusive'
    """
    check_parameter("audit", "order", one_of("time") | none, order)
    check_parameter("audit", "random_state", integer(at_least=0), random_state)
    check_parameter("audit", "max_rows", integer(at_least=4) | none, max_rows)
    _check_lengths(X, y, groups)
    random = np.random.default_rng(random_state)
    # Bits of a matrix product depend on the number of threads.
    with warnings.catch_warnings(), np.errstate(all="ignore"), single_threaded_blas:
        warnings.simplefilter("ignore")
        form, grouping = read_target(target, y, random_state), grouping_columns(X, groups)
        X, y, folds = read_folds(
            X, y, cv=cv, order=order, max_rows=max_rows, groups=groups, random=random
        )
        material, known = Material(X, y, random, order == "time", grouping), Known()
        outcomes = [
            each for fold in folds for each in FoldAudit(form, material, fold, known).outcomes()
        ]
    return AuditReport(_name_of(target), outcomes, tables.count_rows(X))


def assert_train_only(
    target: Any,
    X: Any,
    y: Any = None,
    *,
    cv: Any = 5,
    order: str | None = None,
    max_rows: int | None = 2000,
    groups: Any = None,
    random_state: int = 0,
) -> None:
    """Fail unless an audit finds a target clean: for a test suite.

    Parameters
    ----------
    target, X, y, cv, order, max_rows, groups, random_state : object
        As for `audit`.

    Raises
    ------
    LeakageError
        An AssertionError, if a dependence on held-out rows was observed.
    AssertionError
        If nothing was shown: the target differs from itself, or refuses all probes.
    TargetError, MutatedInputError, SplitError, InvalidParameterError, ValueError
        As for `audit`.

    Notes
    -----
    To pass means that no dependence was observed under the probes of `audit`, at its cost.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.preprocessing import minmax_scale
    >>> from skscale import MinMaxScaler
    >>> from skscale.leakage import assert_train_only
    >>> rows = np.random.default_rng(0).normal(size=(100, 3))
    >>> assert_train_only(MinMaxScaler(), rows)
    >>> assert_train_only(minmax_scale, rows)
    Traceback (most recent call last):
        ...
    skscale.errors.LeakageError: minmax_scale depends on held-out rows. First: fold 0, ...
    """
    report = audit(
        target,
        X,
        y,
        cv=cv,
        order=order,
        max_rows=max_rows,
        groups=groups,
        random_state=random_state,
    )
    if report.status == LEAKY:
        raise LeakageError(report.message())
    if not report.ok:
        raise AssertionError(report.message())


def _check_lengths(X: Any, y: Any, groups: Any) -> None:
    if not tables.has_rows(X):
        raise TypeError(
            f"X is a {type(X).__name__}; it must be an array, a frame, a series, a sparse matrix "
            "or a list of rows, in memory."
        )
    if isinstance(X, np.matrix):
        raise TypeError("X is a matrix, whose columns are matrices again. Pass np.asarray(X).")
    for name, rows in (("y", y), ("groups", groups)):
        if rows is not None and not hasattr(rows, "__len__"):
            raise TypeError(
                f"{name} is a {type(rows).__name__}; it must have one entry for each row of X."
            )
        if rows is not None and len(rows) != tables.count_rows(X):
            raise ValueError(
                f"{name} has {len(rows)} entries and X has {tables.count_rows(X)} rows; they must "
                "be as many."
            )


def _name_of(target: Any) -> str:
    return getattr(target, "__name__", None) or type(target).__name__

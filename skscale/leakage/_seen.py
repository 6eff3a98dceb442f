"""Whether rows were among those that a transformer was fitted on, where it remembers them."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from scipy.stats import beta
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from skscale import _kernels as kernels
from skscale import _tables as tables
from skscale._base import StatisticTransformer
from skscale._kernels import Array
from skscale._opening import open_table
from skscale._parameters import check_parameter, integer
from skscale._provenance import Memory, hash_table, remembering, rounded
from skscale.errors import NothingRememberedError
from skscale.leakage._check import CheckReport, Finding, counted
from skscale.leakage._freeze import FrozenTransformer
from skscale.leakage._straddle import RATE, Straddle, straddle_counted
from skscale.statistics import RowSketch
from skscale.statistics._sketch import sketch_hashes

CONFIDENCE = 0.95


@contextmanager
def remember_rows(*, capacity: int = 4096) -> Iterator[None]:
    """Let transformers remember, by a few hashes, which rows they are fitted on.

    Every transformer of this package that is fitted inside the context keeps a
    `skscale.statistics.RowSketch` of its rows, and adds to it with every later `partial_fit`. A
    `fit` outside the context forgets it, and `clone` leaves it behind.

    Parameters
    ----------
    capacity : int, default=4096
        How many different rows are kept at most; 16 bytes each.

    See Also
    --------
    seen_in_fit : ask a transformer that remembers.

    Notes
    -----
    **Hashes of rows are personal data** where rows are. They are off by default, made with a random
    key that is new in every context, and pickled with the transformer: fit it again outside the
    context, or ``clone`` it, before it goes where the rows may not.

    The context holds in the thread that entered it, and not in the workers of joblib.

    Examples
    --------
    >>> from skscale import StandardScaler
    >>> from skscale.leakage import remember_rows, seen_in_fit
    >>> with remember_rows():
    ...     scaler = StandardScaler().fit([[1.0], [2.0], [3.0]])
    >>> seen_in_fit(scaler, [[2.0], [4.0]]).numbers["share"]
    0.5
    """
    check_parameter("remember_rows", "capacity", integer(1), capacity)
    with remembering(Memory(secrets.randbits(128), int(capacity))):
        yield


def seen_in_fit(fitted: Any, X_test: Any) -> CheckReport:
    """Estimate how many test rows a transformer was fitted on.

    Parameters
    ----------
    fitted : transformer or Pipeline
        Fitted inside `remember_rows`. Of a Pipeline, the first step that remembers its rows is
        asked; `X_test` goes through the steps before it.
    X_test : array-like, sparse array or frame of shape (n_samples, n_features)
        Rows that should not have been there.

    Returns
    -------
    report : CheckReport
        It is true if `ok`.
        `ok`, `findings`, and in `numbers`: "share", the estimated share of test rows that are
        among the rows of the fit; "baseline", the share of the latter that are there more than
        once; "above_baseline", the share with that taken off, ``(share - baseline) / (1 -
        baseline)``, and "lower" and "upper", its 95 % confidence interval; "rows_compared",
        "rows_seen_in_fit" and "p_value".

    Raises
    ------
    NothingRememberedError
        If nothing in `fitted` remembers its rows.
    NotFittedError, SchemaError
        As `transform` does.

    See Also
    --------
    remember_rows : how to make a transformer remember.
    check_split : the same question where the train rows are at hand.

    Notes
    -----
    A sketch holds the rows with the smallest hashes. Test rows with hashes in the same range are
    compared; of test rows as many as the rows of the fit, that is about `capacity`. The interval is
    that of Clopper and Pearson (1934) for the share of different rows; if the fit had no more than
    `capacity` different rows, all test rows are compared and it is the estimate itself.

    There is a finding if a random split of these rows would leave so many on both sides with a
    probability of at most 1e-4 (see `check_split`), so that tables whose rows repeat anyway are not
    accused. With few test rows and many of the fit, few or none can be compared: `numbers` says how
    many were.

    *What it cannot see.* Rows that were changed before the fit, by any rounding: hashes are of the
    numbers as they are, rounded to float32 if the fit was in float32. A step after a matrix
    product, as of PCA, may see other last digits in other batches; ask a step before it.

    Cost: O(n_samples * n_features).

    References
    ----------
    Clopper, C. J. and Pearson, E. S. (1934). The use of confidence or fiducial limits illustrated
    in the case of the binomial. Biometrika 26, 404-413.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from skscale import StandardScaler
    >>> from skscale.leakage import remember_rows, seen_in_fit
    >>> X = load_wine().data
    >>> with remember_rows():
    ...     honest, leaky = StandardScaler().fit(X[:130]), StandardScaler().fit(X)
    >>> seen_in_fit(honest, X[130:]).ok
    True
    >>> report = seen_in_fit(leaky, X[130:])
    >>> report.ok, report.numbers["share"], report.numbers["lower"]
    (False, 1.0, 1.0)
    """
    check_is_fitted(fitted)
    # Of a copy: steps with copy=False work in place.
    transformer, rows = _rememberer(fitted, tables.copy_rows(X_test))
    sketch: RowSketch = transformer._row_sketch_
    table = open_table(transformer, rows)
    keys, dtype = kernels.multipliers(sketch.key, sketch.n_features), transformer._dtype_
    hashes = hash_table(table, lambda rows, _: sketch_hashes(rounded(rows, dtype), keys))
    where = np.flatnonzero(hashes <= np.uint64(sketch.bound))
    compared = hashes[where]
    shared = straddle_counted(sketch.hashes, sketch.counts.astype(np.int64), compared)
    is_complete = len(sketch.hashes) < sketch.capacity
    share = len(shared.rows) / max(1, len(compared))
    low, high = (share, share) if is_complete else _clopper_pearson(shared, compared)
    name = type(transformer).__name__
    return CheckReport(
        check="seen_in_fit",
        subject=f"{counted(len(hashes), 'row')}, asked of {name}",
        findings=tuple(_findings(shared, where, share, name)),
        numbers={
            "share": share,
            "baseline": shared.in_train,
            "above_baseline": _above(share, shared.in_train),
            "lower": _above(low, shared.in_train),
            "upper": _above(high, shared.in_train),
            "rows_compared": len(compared),
            "rows_seen_in_fit": len(shared.rows),
            "p_value": shared.p_value,
        },
    )


def _rememberer(fitted: Any, rows: Any) -> tuple[StatisticTransformer, Any]:
    """The first transformer that remembers its rows, and the test rows as it would get them."""
    if isinstance(fitted, FrozenTransformer):
        return _rememberer(fitted.transformer, rows)
    if hasattr(fitted, "_row_sketch_"):
        return fitted, rows
    steps = [step for _, step in fitted.steps] if isinstance(fitted, Pipeline) else []
    for step in steps:
        try:
            return _rememberer(step, rows)
        except NothingRememberedError:
            if step is steps[-1]:
                break
            rows = rows if step in (None, "passthrough") else step.transform(rows)
    raise NothingRememberedError(
        f"{type(fitted).__name__} does not remember the rows that it was fitted on. Ask it to, "
        "with a transformer of skscale in it: with skscale.leakage.remember_rows(): "
        "model.fit(X_train). Hashes of rows are personal data, so that nothing is remembered "
        "otherwise."
    )


def _findings(shared: Straddle, where: Array, share: float, name: str) -> Iterator[Finding]:
    if shared.p_value <= RATE:
        yield Finding(
            "seen in fit",
            f"{share:.0%} of the test rows, or so, are among the rows that {name} was fitted on; "
            f"of these, {shared.in_train:.0%} were there more than once. A random split would have "
            f"left {shared.expected:.3g} of the compared ones on both sides, and {shared.found} "
            "are. Fit on the train rows only: transformer.fit(X_train).",
            rows=tuple(where[shared.rows].tolist()),
            numbers={"share": share, "baseline": shared.in_train},
        )


def _clopper_pearson(shared: Straddle, compared: Array) -> tuple[float, float]:
    """Interval of a share of different rows: equal ones are kept together, and count once."""
    n, k, tail = len(np.unique(compared)), shared.found, (1 - CONFIDENCE) / 2
    low = float(beta.ppf(tail, k, n - k + 1)) if k > 0 else 0.0
    high = float(beta.ppf(1 - tail, k + 1, n - k)) if k < n else 1.0
    return low, high


def _above(share: float, baseline: float) -> float:
    """A share with the baseline taken off; 0 where every row repeats, which then says nothing."""
    return max(0.0, (share - baseline) / (1 - baseline)) if baseline < 1 else 0.0

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
from skscale._provenance import Memory, hash_table, memory_of, remembering, rounded
from skscale._words import counted
from skscale.errors import NothingRememberedError
from skscale.leakage._check import CheckReport, Finding
from skscale.leakage._freeze import FrozenTransformer
from skscale.leakage._straddle import RATE, Straddle, straddle_counted
from skscale.statistics import RowSketch
from skscale.statistics._sketch import sketch_hashes

CONFIDENCE = 0.95

NUMBERS = (
    "share",
    "baseline",
    "above_baseline",
    "lower",
    "upper",
    "rows_compared",
    "rows_seen_in_fit",
    "p_value",
)


@contextmanager
def remember_rows(*, capacity: int = 4096) -> Iterator[None]:
    """Let transformers remember, by a few hashes, which rows they are fitted on.

    Every transformer of this package that learns from rows inside the context keeps a
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

    There is a finding if no row of the fit was there twice, as far as the sketch tells, and any of
    the test rows was. A table that holds copies of a few rows is then accused too, if a random
    split left one on both sides: the transformer did see that row. Otherwise there is a finding if
    a random split of these rows would leave so many on both sides with a probability of at
    most 1e-4 (see `check_split`), so that tables whose rows repeat anyway are not accused.

    With few test rows and many of the fit, few or none can be compared. If none can, or none is
    found of rows that have fewer digits (float32) than those of the fit (float64), nothing is
    shown: "share" is NaN, and the finding "nothing compared", since that is no pass.

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
    hashes = hash_table(table, lambda rows: sketch_hashes(rounded(rows, dtype), keys))
    where = np.flatnonzero(hashes <= np.uint64(sketch.bound))
    compared = hashes[where]
    shared = straddle_counted(sketch.hashes, sketch.counts.astype(np.int64), compared)
    name = type(transformer).__name__
    subject = f"{counted(len(hashes), 'row')}, asked of {name}"
    is_narrow = table.dtype.itemsize < dtype.itemsize
    if len(compared) == 0 or (is_narrow and not shared.found):
        found = _nothing_compared(table.dtype if is_narrow else None, dtype, name)
        numbers = dict.fromkeys(NUMBERS, np.nan) | {"rows_compared": 0, "rows_seen_in_fit": 0}
        return CheckReport("seen_in_fit", subject, (found,), numbers)
    is_complete = len(sketch.hashes) < sketch.capacity
    share = len(shared.rows) / len(compared)
    low, high = (share, share) if is_complete else _clopper_pearson(shared, compared)
    values = (
        share,
        shared.in_train,
        *(_above(value, shared.in_train) for value in (share, low, high)),
        len(compared),
        len(shared.rows),
        shared.p_value,
    )
    findings = tuple(_findings(shared, where, share, name))
    numbers = dict(zip(NUMBERS, values, strict=True))
    return CheckReport("seen_in_fit", subject, findings, numbers, _remark(numbers))


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
    for name, part, *columns in _branches(fitted):
        if memory_of(part) is not None:
            last = type(_last(fitted)).__name__
            of = f" of columns {columns[0]!r}" if columns else ""
            raise NothingRememberedError(
                f"{last} has no rows of its own to remember, but {name!r} in it remembers "
                f"those{of} that it was given. Ask that transformer, with its columns of X_test: "
                f"seen_in_fit(step.named_transformers{'_' if columns else ''}[{name!r}], "
                f"X_test[columns]), where step is the {last}."
            )
    raise NothingRememberedError(
        f"{type(fitted).__name__} does not remember the rows that it was fitted on. Ask it to, "
        "with a transformer of skscale in it: with skscale.leakage.remember_rows(): "
        "model.fit(X_train). Hashes of rows are personal data, so that nothing is remembered "
        "otherwise."
    )


def _remark(numbers: dict[str, float]) -> str:
    return (
        f"{numbers['rows_seen_in_fit']:g} of {counted(int(numbers['rows_compared']), 'row')} "
        f"compared {'was' if numbers['rows_seen_in_fit'] == 1 else 'were'} in the fit; of the rows "
        f"of the fit, {numbers['baseline']:.0%} were there more than once; beyond that, "
        f"{numbers['above_baseline']:.0%} of the test rows were in the fit (95 % interval "
        f"{numbers['lower']:.0%} to {numbers['upper']:.0%})"
    )


def _last(fitted: Any) -> Any:
    return fitted.steps[-1][1] if isinstance(fitted, Pipeline) and fitted.steps else fitted


def _branches(fitted: Any) -> list[Any]:
    """Name, transformer and, for some columns only, these, of what is fitted side by side."""
    last = _last(fitted)
    return list(getattr(last, "transformers_", getattr(last, "transformer_list", [])))


def _nothing_compared(given: Any, dtype: np.dtype[Any], name: str) -> Finding:
    if given is not None:
        message = (
            f"The rows are {given} and {name} was fitted on {dtype}: hashes are of all digits, so "
            "that equal rows do not show. Give the rows as they were before they were rounded."
        )
    else:
        message = (
            f"None of the rows can be compared: {name} was fitted on many more rows than it "
            "remembers. Ask about more rows, or fit it inside "
            "skscale.leakage.remember_rows(capacity=...) with more capacity."
        )
    return Finding("nothing compared", message)


def _findings(shared: Straddle, where: Array, share: float, name: str) -> Iterator[Finding]:
    if shared.p_value > RATE and (shared.in_train > 0 or not shared.found):
        return
    if shared.in_train > 0:
        why = (
            f"of these, {shared.in_train:.0%} were there more than once. A random split would have "
            f"left {shared.expected:.3g} of the compared ones on both sides, and {shared.found} are"
        )
    else:
        why = (
            f"{len(shared.rows)} of {counted(len(where), 'row')} compared. No row of the fit was "
            "there twice, so that this is no coincidence, unless the table holds copies of rows"
        )
    yield Finding(
        "seen in fit",
        f"{share:.0%} of the test rows, or so, are among the rows that {name} was fitted on: "
        f"{why}. Fit on the train rows only: transformer.fit(X_train).",
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

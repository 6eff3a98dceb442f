"""Whether a table was scaled as a whole, before anybody split it."""

from __future__ import annotations

from typing import Any

from skscale import _tables as tables
from skscale.leakage._check import CheckReport, counted
from skscale.leakage._profile import read_numbers
from skscale.leakage._signs import signs


def check_prescaled(X: Any) -> CheckReport:
    """Look for columns that were scaled, rotated or whitened by statistics of all rows.

    A table that was scaled as a whole, by whoever published it, can no longer be split into train
    rows and test rows that know nothing of each other.

    Parameters
    ----------
    X : array-like, sparse array or frame of shape (n_samples, n_features)
        A table before it is split. Columns that are not numbers are passed over.

    Returns
    -------
    report : CheckReport
        `ok`; `columns`, the names (or positions) of flagged columns; `findings`, each with `kind`,
        `message`, `columns` and `numbers`; `to_frame()`. The kinds are "standardized" (mean 0 and
        standard deviation, with divisor n or n - 1, or norm 1), "whitened" (the same, and
        uncorrelated), "rotated" (principal components) and "min-max scaled".

    Raises
    ------
    InfiniteValueError, SchemaError, ValueError
        For bad tables; see `skscale.errors`.

    See Also
    --------
    check_split : the same question about train and test rows.

    Notes
    -----
    *False alarms.* A mean counts as 0, and a deviation as 1, within t = 1e-6 (float32: 3e-5). If
    rows are drawn from any continuous distribution with a bounded density, sample mean and
    deviation come that near by chance with a probability of at most about ``3 n t**2`` per column:
    the mean of n rows is spread by ``1 / sqrt(n)``, the deviation by ``1 / sqrt(2 n)``, both around
    the targets at worst, and there are three targets of the deviation. That is 3e-8 for 10,000 rows
    of float64, 3e-5 for float32, and p times as much for a table of p columns. Columns of integers
    are never flagged, nor are those of fewer than 3 values. Minimum 0 and maximum 1 count within
    b = 1e-12 (float32: 5e-7), which a density between 0 and 1 meets by chance with a probability of
    ``(n b)**2``; and not where values are multiples of 1/10000, 1/255 or 1/65536, or pile up at
    both ends, as shares do. A share that truly touches 0 and 1 once may be flagged all the same.

    *What it cannot see.* Scaling by constants that nobody learned; by medians and quantiles; by the
    train rows of a split made elsewhere; scaling after which rows were dropped, or numbers rounded
    to three decimals. It proves nothing about rows that it was not given.

    Cost: O(n_samples * n_features), two or three passes; memory for some blocks of rows.

    References
    ----------
    Kaufman, S., Rosset, S., Perlich, C. and Stitelman, O. (2012). Leakage in data mining:
    formulation, detection, and avoidance. ACM Transactions on Knowledge Discovery from Data 6, 15.

    Examples
    --------
    scikit-learn's diabetes data come standardized, over all of the rows:

    >>> from sklearn.datasets import load_diabetes, load_iris
    >>> from skscale.leakage import check_prescaled
    >>> check_prescaled(load_diabetes(as_frame=True).data).columns
    ['age', 'sex', 'bmi', 'bp', 's1', 's2', 's3', 's4', 's5', 's6']
    >>> check_prescaled(load_iris().data)
    check_prescaled: nothing found in 150 rows x 4 columns

    Minimum and maximum show too:

    >>> from sklearn.preprocessing import MinMaxScaler
    >>> report = check_prescaled(MinMaxScaler().fit_transform(load_iris().data))
    >>> report.ok, [found.kind for found in report.findings]
    (False, ['min-max scaled'])
    """
    X = tables.as_mixed(X)
    positions = tables.number_columns(X)
    if not positions:
        return CheckReport("check_prescaled", f"{counted(X.shape[0], 'row')} without numbers")
    columns = read_numbers(X, positions, "check_prescaled")
    n_rows, n_columns = columns.table.shape
    return CheckReport(
        "check_prescaled",
        f"{counted(n_rows, 'row')} x {counted(n_columns, 'column')}",
        tuple(signs([columns], columns.profile)),
    )

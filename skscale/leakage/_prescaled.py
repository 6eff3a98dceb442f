"""Whether a table was scaled as a whole, before anybody split it."""

from __future__ import annotations

from typing import Any

from skscale import _tables as tables
from skscale._words import counted
from skscale.leakage._check import CheckReport
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
        It is true if `ok`.
        `ok`; `columns`, the names (or positions) of flagged columns; `findings`, each with `kind`,
        `message`, `columns` and `numbers`; `to_frame()`. The kinds are "standardized" (mean 0 and
        standard deviation, with divisor n or n - 1, or norm 1), "whitened" (the same, and
        uncorrelated), "rotated" (principal components), "centred" (mean 0 only), "divided by the
        deviation" (deviation or norm 1 only) and "min-max scaled" (to 0 and 1, or -1 and 1).

    Raises
    ------
    InfiniteValueError, SchemaError, ValueError
        For bad tables; see `skscale.errors`.

    See Also
    --------
    check_split : the same question about train and test rows.

    Notes
    -----
    *False alarms.* A table of honest columns, drawn independently from continuous distributions of
    bounded density, is accused of each kind with a probability of at most 1e-4. A mean of n rows is
    spread by ``1 / sqrt(n)`` or so, and comes within t of 0 with a probability of at most
    ``t sqrt(n)``; a deviation comes within t of one of three targets with at most
    ``6 t sqrt(n)``, and both together do with at most ``6 n t**2``. Among p columns so many must be
    found that chance finds as many with 1e-4 at most (binomial). For standardized columns t is 1e-6
    in float64, where one of 100 columns is enough up to 160,000 rows; 3e-5 in float32, where one of
    10 is enough up to 1,800 rows, and 3 up to a million; and 3e-3 in float16, where one of 10 never
    is, and all 10 are up to 7,000 rows. For means or deviations alone t is 1e-9 in float64.
    Bounds count if attained within b = 1e-12 (float32: 5e-7; float16 has too few
    digits to tell), by chance with ``(n b)**2``.

    *What a design explains* is no evidence, and is listed only beside a column that is: short
    fractions (denominators up to 400: shares, votes, coded factors); values that lie symmetrically
    (grids, sines, codes); for a mean of 0, multiples of any unit; for it and for bounds,
    multiples of 10**-3 to 10**-6 or of
    an intensity's unit (1/255, 1/65536), ranks and, unless their steps are regular as those of
    rounded numbers, values that repeat more than rows do; bounds that are attained much more often
    than other values, as those of what saturates. Values between -1 and 1 or that repeat are found
    if most columns have these bounds. Columns of integers are never listed, nor are those of fewer
    than 3 values. A rate that truly touches 0 and 1 once each may be flagged all the same.

    *What it cannot see.* Scaling by constants that nobody learned; by medians, quantiles, or the
    largest size (MaxAbsScaler: shares and correlations attain 1 too), unless some minimum is 0; by
    the train rows of a split made elsewhere; tables of which all columns became short fractions,
    as integers of a range below 400 do from min-max scaling; scaling after which rows were dropped,
    or numbers rounded: standardized ones to 3 decimals, others to 6. It proves nothing about
    rows that it was not given.

    Cost: O(n_samples * n_features), two or three passes, and a sort of each column that is suspect;
    memory for some blocks of rows and some columns.

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

    >>> from sklearn.datasets import load_wine
    >>> from sklearn.preprocessing import MinMaxScaler
    >>> report = check_prescaled(MinMaxScaler().fit_transform(load_wine().data))
    >>> report.ok, [found.kind for found in report.findings]
    (False, ['min-max scaled'])

    Levels of a design have mean 0 too, and are no sign:

    >>> import numpy as np
    >>> across, up = np.meshgrid(np.linspace(-2, 2, 21), np.linspace(-1, 1, 21))
    >>> check_prescaled(np.column_stack([across.ravel(), up.ravel()])).ok
    True
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

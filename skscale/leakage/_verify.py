"""Was this fitted on exactly these rows? It is fitted once more, and compared to the bit."""

from __future__ import annotations

import html
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn import clone
from sklearn.utils.validation import check_is_fitted

from skscale import _tables as tables
from skscale._blas import single_threaded_blas
from skscale.errors import TargetError
from skscale.leakage._report import format_ulp
from skscale.leakage._state import Difference, differences


@dataclass(frozen=True)
class FitReport:
    """How a fitted object compares with one fitted on the rows that were given. True if `ok`.

    Parameters
    ----------
    name : str
        What was compared.
    findings : list of Difference
        Attributes that differ, each with `where` and `ulp`.
    repeatable : bool
        Whether two fits on the same rows agree with each other; false if a parameter is a
        generator of random numbers, which goes on with every fit.

    Attributes
    ----------
    ok : bool
        Whether all of the fitted state has the same bits.
    """

    name: str
    findings: list[Difference]
    repeatable: bool = True

    @property
    def ok(self) -> bool:
        return not self.findings

    @property
    def max_ulp(self) -> float:
        """Largest difference in units in the last place; 0 if there is none."""
        return max((each.ulp for each in self.findings), default=0.0)

    def __bool__(self) -> bool:
        return self.ok

    def __repr__(self) -> str:
        if self.ok:
            return f"<same fit> {self.name}: fitted once more on these rows, it has the same bits."
        shown = ", ".join(f"{each.where} ({format_ulp(each.ulp)})" for each in self.findings[:5])
        more = f" and {len(self.findings) - 5} more" if len(self.findings) > 5 else ""
        why = (
            "Other rows, another order or another type of the same, sample weights, partial_fit, "
            "or an attribute set since."
            if self.repeatable
            else "Nothing is shown by that: fits on these rows differ from each other too, by "
            "random numbers. Set random_state to an int before fitting; a generator goes on with "
            "every fit."
        )
        return f"<another fit> {self.name}: differs in {shown}{more}. {why}"

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(repr(self))}</p>"


def verify_fit(fitted: Any, X: Any, y: Any = None, **fit_params: Any) -> FitReport:
    """Tell whether a fitted object was fitted on exactly these rows.

    A clone is fitted on them, and everything that both keep is compared to the bit.

    Parameters
    ----------
    fitted : estimator
        A fitted estimator, transformer or Pipeline. It is not changed.
    X : table of shape (n_rows, n_columns)
        The rows, as they were given to `fit`: of the same type, in the same order.
    y : array-like of shape (n_rows,), default=None
        Labels.
    **fit_params : object
        What else `fit` was given, such as `sample_weight`.

    Returns
    -------
    report : FitReport
        True if the fits are the same; `findings` says which attributes differ, and by how many
        units in the last place.

    Raises
    ------
    NotFittedError
        If the object is not fitted.
    TargetError
        If a clone cannot be fitted on these rows.

    Notes
    -----
    One fit if the answer is yes, and three if it is no: with one BLAS thread, since bits of matrix
    products depend on how many there are, and once more, to see whether fits repeat.

    The answer is no, by rounding, if the object was fitted in other batches by `partial_fit`: the
    fitted attributes are then a few ulp apart, though what corrects their rounding may be more. It
    is no for an object with random numbers that were not fixed, and `repeatable` tells. Durations
    are not compared. A yes says that fits on these rows have this state: other rows may have it
    too, as all rows between the extremes do for a `MinMaxScaler`.

    Examples
    --------
    >>> import numpy as np
    >>> from skscale import StandardScaler
    >>> from skscale.leakage import verify_fit
    >>> rows = np.random.default_rng(0).normal(size=(100, 3))
    >>> honest = StandardScaler().fit(rows[:80])
    >>> verify_fit(honest, rows[:80])
    <same fit> StandardScaler: fitted once more on these rows, it has the same bits.

    Fitted on the test rows too:

    >>> leaky = StandardScaler().fit(rows)
    >>> report = verify_fit(leaky, rows[:80])
    >>> report.ok, report.findings[0].where
    (False, 'mean_')

    In batches, the last bits may differ:

    >>> batched = StandardScaler().partial_fit(rows[:50]).partial_fit(rows[50:])
    >>> report = verify_fit(batched, rows)
    >>> all(each.ulp < 1000 for each in report.findings if each.where in ("mean_", "var_"))
    True
    """
    check_is_fitted(fitted)
    found = differences(_refit(fitted, X, y, fit_params), fitted)
    name = type(fitted).__name__
    if not found:
        return FitReport(name, found)
    with single_threaded_blas:
        if not differences(_refit(fitted, X, y, fit_params), fitted):
            return FitReport(name, [])
    once, again = (_refit(fitted, X, y, fit_params) for _ in range(2))
    # Copies of a generator start where the fit left it, and agree with each other only.
    repeatable = not (_draws_on(fitted) or differences(once, again))
    return FitReport(name, found, repeatable)


def _draws_on(fitted: Any) -> bool:
    """Whether a parameter is a generator of random numbers that the fit has moved on."""
    parameters: dict[str, Any] = getattr(fitted, "get_params", dict)()
    kinds = (np.random.RandomState, np.random.Generator)
    return any(isinstance(value, kinds) for value in parameters.values())


def _refit(fitted: Any, X: Any, y: Any, fit_params: dict[str, Any]) -> Any:
    given = [tables.copy_rows(X)] + ([] if y is None else [tables.copy_rows(y)])
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            return clone(fitted).fit(*given, **fit_params)
        except Exception as error:
            raise TargetError(
                f"A clone of the {type(fitted).__name__} cannot be fitted on these rows: "
                f"{type(error).__name__}: {error}. Pass the rows as fit was given them, and y and "
                "sample_weight if it was given these."
            ) from error

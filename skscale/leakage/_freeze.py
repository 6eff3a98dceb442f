"""Fitted transformers that refuse to learn from other rows."""

from __future__ import annotations

import copy
import re
from typing import Any, Self, final

from sklearn import get_config
from sklearn.base import clone
from sklearn.utils import estimator_html_repr, get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skscale._provenance import memory_of, remembering
from skscale._tables import copy_rows
from skscale.errors import FrozenTransformerError, InvalidParameterError
from skscale.leakage._check import listed
from skscale.leakage._state import differences

_PUBLIC = re.compile(r"((?:[A-Za-z0-9][^.\[]*\.)*?[A-Za-z0-9][^.\[]*_)(?:[.\[].*)?")
"""The fitted attribute, with the steps that lead to it, in the name of a place inside it."""

REFUSED = ("partial_fit", "fit_predict", "fit_resample", "fit_statistic", "normalize_batch")
"""Methods that learn, besides `fit` and `fit_transform`."""


def freeze(transformer: Any) -> FrozenTransformer:
    """Make a fitted transformer refuse to be fitted on other rows.

    Use it where a step was fitted on purpose on the train rows, and nothing that happens to it
    later, such as a cross-validation of the Pipeline it is in, may quietly change what they are.

    Parameters
    ----------
    transformer : estimator
        A fitted transformer or Pipeline, of ours or of scikit-learn's. A copy is kept, so that
        fitting the original again changes nothing.

    Returns
    -------
    frozen : FrozenTransformer
        With the methods and fitted attributes of the transformer.

    Raises
    ------
    NotFittedError
        If it is not fitted.

    See Also
    --------
    unfreeze : the way back.
    verify_fit : the same question, without an error.

    Notes
    -----
    `fit` and `fit_transform` fit a clone on a copy of the rows and compare it to the bit. If it is
    the same, the rows were, and frozen is returned as it is, or what `fit_transform` of the clone
    gave: a Pipeline can be fitted on the very rows that its frozen step was. If it is not, a
    `FrozenTransformerError` says so. `partial_fit` is always refused.
    `clone` keeps a frozen transformer frozen and fitted.

    So ``cross_val_score(make_pipeline(freeze(scaler), model), X, y)`` is an error, since every fold
    has other rows. With scikit-learn's ``FrozenEstimator``, whose `fit` silently does nothing, it
    runs, and every fold is scored on rows that the scaler has seen. ``FrozenEstimator`` is right
    for what was learned from other data and does not depend on these rows at all; ``freeze`` is for
    what was learned from some of these rows.

    *What it cannot see.* Rows with the same statistic are the same to it: a MinMaxScaler knows
    its rows by their minimum and maximum only. A transformer with ``random_state=None``, or learned
    in batches by `partial_fit`, does not recognize its own rows, since a fit on them differs from
    it in some bits; it can still be applied. So can one that is given its own rows in another
    container, order, memory layout or dtype. It has no callbacks of its own (`set_callbacks`):
    register them with the Pipeline that it is a step of.

    Cost: one copy of the transformer; `fit` costs a copy of the rows and one ordinary fit.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from skscale import StandardScaler
    >>> from skscale.leakage import freeze, unfreeze
    >>> X = np.arange(20.0).reshape(10, 2)
    >>> frozen = freeze(StandardScaler().fit(X[:6]))
    >>> frozen
    freeze(StandardScaler() <learned from 6 rows x 2 columns>)
    >>> frozen.fit(X[:6]) is frozen  # the rows it was learned from
    True
    >>> frozen.fit(X)
    Traceback (most recent call last):
    skscale.errors.FrozenTransformerError: This StandardScaler is frozen, ...

    To learn anew in every fold, ask for it:

    >>> pipeline = make_pipeline(frozen)
    >>> unfreeze(pipeline).fit(X)[0]
    StandardScaler() <learned from 10 rows x 2 columns>
    """
    if isinstance(transformer, FrozenTransformer):
        return transformer
    check_is_fitted(transformer)
    return FrozenTransformer(copy.deepcopy(transformer))


def unfreeze(estimator: Any) -> Any:
    """An unfitted clone in which nothing is frozen any more.

    Parameters
    ----------
    estimator : estimator
        A frozen transformer, or a Pipeline, ColumnTransformer or other estimator with frozen
        transformers anywhere inside. It is not changed.

    Returns
    -------
    unfrozen : estimator
        A clone, to be fitted. Frozen candidates in the grid of a search are not frozen either.

    Raises
    ------
    TypeError
        If it is no estimator.

    Examples
    --------
    >>> from skscale import StandardScaler
    >>> from skscale.leakage import freeze, unfreeze
    >>> unfreeze(freeze(StandardScaler(ddof=1).fit([[0.0], [1.0]])))
    StandardScaler(ddof=1)
    """
    if isinstance(estimator, type) or not hasattr(estimator, "get_params"):
        raise TypeError(
            "unfreeze takes an estimator: a frozen transformer, or a Pipeline, search or other "
            f"estimator with frozen transformers inside; got {estimator!r}. Of a list, unfreeze "
            "each: [unfreeze(each) for each in estimators]."
        )
    return _unfrozen(clone(estimator))


def _unfrozen(value: Any) -> Any:
    """The same, of anything that an estimator may have for a parameter."""
    if isinstance(value, FrozenTransformer):
        return unfreeze(value.transformer)
    if isinstance(value, dict):
        return {name: _unfrozen(part) for name, part in value.items()}
    if type(value) in (list, tuple):
        return type(value)(map(_unfrozen, value))
    if hasattr(value, "get_params") and not isinstance(value, type):
        parts = value.get_params(deep=False)
        value.set_params(**{name: _unfrozen(part) for name, part in parts.items()})
    return value


def _public(where: str) -> str | None:
    """The public attribute that holds a place: "pca.components_" for "pca.components_[0]"."""
    found = _PUBLIC.fullmatch(where)
    return found[1] if found else None


def _has_transform(frozen: FrozenTransformer) -> bool:
    return hasattr(frozen.transformer, "transform")


@final
class FrozenTransformer:
    """What `freeze` makes of a fitted transformer.

    Parameters
    ----------
    transformer : estimator
        The fitted transformer. Its other methods and its attributes are those of this object.
    """

    def __init__(self, transformer: Any) -> None:
        self.transformer = transformer

    def fit(self, X: Any, y: Any = None, **fit_params: Any) -> Self:
        """Check that these are the rows that were learned from.

        Parameters
        ----------
        X : array-like, sparse array or frame of shape (n_samples, n_features)
            Rows.
        y : array-like of shape (n_samples,), default=None
            Target values, for transformers that look at them.
        **fit_params : dict
            As were given to `fit` of the transformer, such as `sample_weight`.

        Returns
        -------
        self : object
            As it was.

        Raises
        ------
        FrozenTransformerError
            If a clone that is fitted on these rows is not the same to the bit.
        """
        self._fitted_again(X, y, fit_params)
        return self

    def _fitted_again(self, X: Any, y: Any, fit_params: dict[str, Any], method: str = "fit") -> Any:
        """What `fit`, or `fit_transform`, of a clone returns, if it learns the same."""
        # Of copies: steps with copy=False change the rows that later ones, and the caller, see.
        given = copy_rows(X), None if y is None else copy_rows(y)
        again = clone(self.transformer)
        with remembering(memory_of(self.transformer)):
            result = getattr(again, method)(*given, **fit_params)
        if found := differences(again, self.transformer):
            named = [public for each in found if (public := _public(each.where))]
            raise self._refusal(
                "and the rows given to fit are not those that it was learned from, to the bit: "
                f"they would change {listed(list(dict.fromkeys(named))) or 'what it learned'}. It "
                "takes other rows to change much; the last digits also change if the same rows "
                "come in another container, order, memory layout or dtype, with another "
                "sample_weight or other labels, or if random_state is not fixed"
            )
        return result

    @available_if(_has_transform)
    def fit_transform(self, X: Any, y: Any = None, **fit_params: Any) -> Any:
        """Check that these are the rows that were learned from, and transform them.

        Parameters
        ----------
        X : array-like, sparse array or frame of shape (n_samples, n_features)
            Rows.
        y : array-like of shape (n_samples,), default=None
            Target values, for transformers that look at them.
        **fit_params : dict
            As were given to `fit` of the transformer, such as `sample_weight`.

        Returns
        -------
        X_new : array or frame of shape (n_samples, n_features_out)
            What `fit_transform` of the transformer gives: where it is not what `transform` gives,
            as of a TargetEncoder, that is on purpose.

        Raises
        ------
        FrozenTransformerError
            As `fit` does.
        """
        if hasattr(self.transformer, "fit_transform"):
            return self._fitted_again(X, y, fit_params, "fit_transform")
        return self.fit(X, y, **fit_params).transform(copy_rows(X))

    @available_if(lambda frozen: hasattr(frozen.transformer, "set_output"))
    def set_output(self, *, transform: Any = None) -> Self:
        """Choose the container of the results, as for any transformer.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"} or None, default=None
            The container; None leaves it as it is.

        Returns
        -------
        self : object
            This object.
        """
        self.transformer.set_output(transform=transform)
        return self

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The transformer; its own parameters are frozen too.

        Parameters
        ----------
        deep : bool, default=True
            Ignored.

        Returns
        -------
        params : dict
            ``{"transformer": transformer}``.
        """
        return {"transformer": self.transformer}

    def set_params(self, **params: Any) -> Self:
        """Refuse: what was learned would no longer be what the parameters say.

        Parameters
        ----------
        **params : dict
            None may be given.

        Returns
        -------
        self : object
            This object.
        """
        if params:
            raise InvalidParameterError(
                f"Parameters of a frozen transformer cannot be set; got {', '.join(params)}. "
                "Take skscale.leakage.unfreeze(...) of it, set them, and fit."
            )
        return self

    def _refusal(self, why: str) -> FrozenTransformerError:
        name = type(self.transformer).__name__
        return FrozenTransformerError(
            f"This {name} is frozen, {why}. To apply it to other rows: frozen.transform(X). To let "
            "it learn anew from train rows, in every fold of a cross-validation too: "
            "skscale.leakage.unfreeze(estimator).fit(X_train), where estimator is this transformer "
            "or the Pipeline it is a step of."
        )

    def __getattr__(self, name: str) -> Any:
        # Private names are the object's own: copying, pickling and callbacks ask for them.
        if name.startswith("_") or name in ("transformer", "set_callbacks"):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        found = getattr(self.transformer, name)
        if name not in REFUSED:
            return found

        def refuse(*args: Any, **kwargs: Any) -> Any:
            raise self._refusal(f"and {name} would make it learn from more rows, or from others")

        return refuse

    def __sklearn_clone__(self) -> Self:
        return type(self)(copy.deepcopy(self.transformer))

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_tags__(self) -> Any:
        return get_tags(self.transformer)

    def __repr__(self) -> str:
        return f"freeze({self.transformer!r})"

    @available_if(lambda frozen: get_config()["display"] == "diagram")
    def _repr_html_(self) -> str:
        html: str = estimator_html_repr(self)
        return html

"""Group normalization: every row by the mean and variance of each group of its columns."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence, Set
from typing import Any, ClassVar, final

import numpy as np

from skscale._kernels import Array
from skscale._parameters import Rule, integer, is_integer
from skscale.errors import InvalidParameterError
from skscale.normalization._rowwise import RowwiseNormalizer


@final
class GroupNormalizer(RowwiseNormalizer):
    """Group normalization: `LayerNormalizer` for each group of columns by itself.

    ``gamma (x - mean) / sqrt(variance + epsilon) + beta`` with the mean and variance of the row
    that is transformed, over the columns of one group: the laboratory values of a patient, say,
    apart from the answers to a questionnaire.

    Parameters
    ----------
    groups : int or dict, default=1
        The number of groups, which are consecutive columns, equally many in each. Or the columns
        of every group by its name, ``{"labs": ["sodium", "potassium"], ...}``: names of columns of
        a frame, or positions, in a list, tuple, array or Index. Every column belongs to exactly one
        group.
    epsilon : float or "auto", default=1e-5
        Positive number added to the variance, as published; it shrinks groups whose standard
        deviation is not far above its square root, 0.003. "auto" adds nothing: groups of any unit
        come out with standard deviation 1, and groups without spread become beta.
    affine : tuple (gamma, beta) or None, default=None
        Scale and shift after normalization, each a number or an array of one number per
        column, in the order of the columns. None is ``(1, 0)``.

    Attributes
    ----------
    groups_ : dict of ndarray
        Positions of the columns of every group; the groups of an int are called 0, 1 and so on.
    gamma_ : ndarray of shape (n_features_in_,), float64
        Scale of every column.
    beta_ : ndarray of shape (n_features_in_,), float64
        Shift of every column.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, if all are strings.

    Raises
    ------
    InvalidParameterError
        A parameter outside its range, gamma or beta of the wrong length, a number of groups that
        does not divide that of the columns, or groups that overlap, miss columns or name
        unknown ones.
    InfiniteValueError, NonNumericColumnError, SchemaError
        For bad rows or columns; see `skscale.errors`.
    ValueError
        For sparse rows: zeros would move.

    See Also
    --------
    LayerNormalizer : all columns together.

    Notes
    -----
    A group of one column has no spread: it becomes beta in every row, and what was in it is lost.
    Two columns become -1 and 1, or the other way round.

    NaN is left out of the statistics of its group and stays NaN. In all else it is as
    `LayerNormalizer`: variances are divided by the number of values; `fit` learns the columns
    and nothing from the rows, and `transform` needs it; there is no `partial_fit`,
    `sample_weight` or `inverse_transform`. Cost: O(n_samples * n_features) time and no memory
    but the output.

    References
    ----------
    Wu, Y. and He, K. (2018). Group normalization. ECCV, 3-19.

    Examples
    --------
    >>> from skscale import GroupNormalizer
    >>> GroupNormalizer(2, epsilon="auto").fit_transform([[1.0, 3.0, 500.0, 100.0]])
    array([[-1.,  1.,  1., -1.]])

    Groups by name, in a frame, or by position:

    >>> groups = {"marks": [0, 2], "money": [1, 3]}
    >>> layer = GroupNormalizer(groups, epsilon="auto").fit([[1.0, 500.0, 3.0, 100.0]])
    >>> layer.transform([[1.0, 500.0, 3.0, 100.0], [2.0, 500.0, 2.0, float("nan")]])
    array([[-1.,  1.,  1., -1.],
           [ 0.,  0.,  0., nan]])
    >>> layer.groups_["money"]
    array([1, 3])

    Groups that are none:

    >>> GroupNormalizer(2).fit([[1.0, 2.0, 3.0]])
    Traceback (most recent call last):
    skscale.errors.InvalidParameterError: ... 3 columns cannot be cut into 2 groups ...
    """

    _rules: ClassVar = {
        "groups": integer(at_least=1)
        | Rule(
            "a dict of lists of columns",
            lambda value: (
                isinstance(value, Mapping)
                and len(value) > 0
                and all(_is_list(columns) for columns in value.values())
            ),
        ),
        **RowwiseNormalizer._rules,
    }

    def __init__(
        self,
        groups: int | Mapping[Any, Collection[Any]] = 1,
        *,
        epsilon: str | float = 1e-5,
        affine: tuple[Any, Any] | None = None,
    ) -> None:
        super().__init__(epsilon, affine=affine)
        self.groups = groups

    def _learn_columns(self) -> None:
        super()._learn_columns()
        names = getattr(self, "feature_names_in_", None)
        if isinstance(self.groups, Mapping):
            self.groups_ = positions_of(self.groups, self.n_features_in_, names)
        else:
            self.groups_ = equal_groups(self.groups, self.n_features_in_)

    def _groups(self) -> Sequence[Array]:
        return list(self.groups_.values())


def equal_groups(n_groups: int, n_features: int) -> dict[Any, Array]:
    """Consecutive columns, equally many in each group.

    Raises
    ------
    InvalidParameterError
        If the number of groups does not divide that of the columns.
    """
    if n_features % n_groups:
        divisors = [str(k) for k in range(1, n_features + 1) if n_features % k == 0]
        listed = ", ".join(divisors if len(divisors) <= 12 else [*divisors[:12], "..."])
        raise InvalidParameterError(
            f"The 'groups' parameter of GroupNormalizer must divide the number of columns: "
            f"{n_features} columns cannot be cut into {n_groups} groups of equal size. Pass one "
            f"of {listed}, or a dict of lists of columns. Got {n_groups} instead."
        )
    return dict(enumerate(np.arange(n_features).reshape(n_groups, -1)))


def positions_of(
    groups: Mapping[Any, Collection[Any]], n_features: int, names: Array | None
) -> dict[Any, Array]:
    """Positions of the columns of every group.

    Raises
    ------
    InvalidParameterError
        Unknown columns, columns in several groups or twice in one, and columns in none.
    """
    known = {} if names is None else {name: place for place, name in enumerate(names)}
    found: dict[Any, Array] = {}
    unknown: list[Any] = []
    members: list[list[Any]] = [[] for _ in range(n_features)]
    for group, columns in groups.items():
        places = []
        for column in columns:
            place = int(column) if is_integer(column) else known.get(column, -1)
            if 0 <= place < n_features:
                places.append(place)
                members[place].append(group)
            else:
                unknown.append(column)
        found[group] = np.array(places, dtype=np.int64)
    if names is None and any(isinstance(column, str) for column in unknown):
        raise _wrong_groups(
            "hold positions where the columns have no names, as those of an array: pass a frame, "
            f"or positions from 0 to {n_features - 1}. Names without a column: {_listed(unknown)}"
        )
    labels = list(range(n_features)) if names is None else list(names)
    several = [
        f"{label!r} (in {', '.join(map(repr, its))})"
        for label, its in zip(labels, members, strict=True)
        if len(its) > 1
    ]
    missing = [label for label, its in zip(labels, members, strict=True) if not its]
    faults = [
        *([f"in more than one group: {', '.join(several[:10])}"] if several else []),
        *([f"in no group: {_listed(missing)}"] if missing else []),
        *([f"not among the {n_features} columns: {_listed(unknown)}"] if unknown else []),
    ]
    if faults:
        raise _wrong_groups(f"hold every column exactly once. {'; '.join(faults).capitalize()}")
    return found


def _wrong_groups(what: str) -> InvalidParameterError:
    return InvalidParameterError(f"The 'groups' parameter of GroupNormalizer must {what}.")


def _listed(columns: Sequence[Any]) -> str:
    shown = ", ".join(repr(column) for column in columns[:10])
    return shown if len(columns) <= 10 else f"{shown} and {len(columns) - 10} more"


def _is_list(columns: Any) -> bool:
    has_order = isinstance(columns, Collection) and not isinstance(columns, (str, Set, Mapping))
    return (
        has_order
        and getattr(columns, "ndim", 1) == 1  # a frame gives its names, but is a table
        and len(columns) > 0
        and all(isinstance(c, str) or is_integer(c) for c in columns)
    )

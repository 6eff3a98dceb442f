"""What a constructor argument may be: rules by parameter, one wording for all errors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np

from skscale._kernels import Array
from skscale.errors import InvalidParameterError


@dataclass(frozen=True)
class Rule:
    """Allowed values of a parameter, as words and as a predicate."""

    words: str
    allows: Callable[[Any], bool]

    def __or__(self, other: Rule) -> Rule:
        return Rule(
            f"{self.words} or {other.words}",
            lambda value: self.allows(value) or other.allows(value),
        )


def is_real(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, (bool, np.bool_))


def is_integer(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, (bool, np.bool_))


boolean = Rule("a bool", lambda value: isinstance(value, (bool, np.bool_)))
none = Rule("None", lambda value: value is None)


def integer(at_least: int) -> Rule:
    return Rule(
        f"an int of at least {at_least}", lambda value: is_integer(value) and value >= at_least
    )


def real(words: str, allows: Callable[[Any], bool]) -> Rule:
    """A finite number such that `allows`."""
    return Rule(words, lambda value: is_real(value) and np.isfinite(value) and allows(value))


def one_of(*options: str) -> Rule:
    listed = ", ".join(repr(option) for option in options)
    words = listed if len(options) == 1 else f"one of {listed}"
    return Rule(words, lambda value: isinstance(value, str) and value in options)


def per_column(value: Any, n_features: int) -> Array:
    """One number per column, of what may be one number for all.

    Raises
    ------
    ValueError
        If it is neither.
    """
    value = np.asarray(value)
    if value.shape == (n_features,):
        return value
    return np.full(n_features, value) if value.ndim == 0 else np.broadcast_to(value, (n_features,))


def check_parameters(estimator: Any, rules: Mapping[str, Rule]) -> None:
    """Raise for the first parameter of an estimator that breaks its rule.

    Raises
    ------
    InvalidParameterError
        Naming the parameter, what it may be and what it is.
    """
    for parameter, rule in rules.items():
        check_parameter(type(estimator).__name__, parameter, rule, getattr(estimator, parameter))


def check_parameter(owner: str, parameter: str, rule: Rule, value: Any) -> None:
    """Raise if a value breaks the rule for a parameter of something."""
    if not rule.allows(value):
        raise InvalidParameterError(
            f"The {parameter!r} parameter of {owner} must be {rule.words}. Got {value!r} instead."
        )

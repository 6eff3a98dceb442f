"""Laws by name, and one way to enforce them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Law = Callable[[Any], None]


def collector(laws: dict[str, Law]) -> Callable[[str], Callable[[Law], Law]]:
    """A decorator that puts functions into `laws` under the name it is given."""

    def named(name: str) -> Callable[[Law], Law]:
        def collect(function: Law) -> Law:
            laws[name] = function
            return function

        return collect

    return named


def enforce(subject: str, known: Mapping[str, Law], laws: Sequence[str] | None, trial: Any) -> None:
    """Try laws in order.

    Raises
    ------
    AssertionError
        For the first one that is broken; an error of any kind breaks it.
    ValueError
        For the name of a law that is not `known`.
    """
    unknown = [law for law in laws or () if law not in known]
    if unknown:
        raise ValueError(f"There are no laws {unknown}. Known are {list(known)}.")
    for law in known if laws is None else laws:
        try:
            known[law](trial)
        except Exception as error:
            found = str(error) if isinstance(error, AssertionError) else repr(error)
            raise AssertionError(f"{subject} breaks the law {law!r}: {found}") from error


def shorten(positions: Sequence[int]) -> str:
    """The first few of some positions, for a message."""
    shown = ", ".join(str(position) for position in positions[:5])
    return shown if len(positions) <= 5 else f"{shown}, ... ({len(positions)} cuts)"

"""Numbers of things, in words."""

from __future__ import annotations


def counted(number: int, noun: str, separator: str = "") -> str:
    """A number with its noun: "1 row", "2 rows"; "1,234 rows" with a comma for `separator`."""
    return f"{number:{separator}} {noun}{'' if number == 1 else 's'}"

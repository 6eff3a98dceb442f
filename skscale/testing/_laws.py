"""Laws by name, and one way to enforce them."""

from __future__ import annotations

def enforce(
    name: str, known: Mapping[str, Callable[[Any], None]], laws: Sequence[str] | None, trial: Any
) -> None:
    unknown = [law for law in laws or () if law not in known]
    if unknown:
        raise ValueError(f"unknown laws: {unknown}; known are {list(known)}")
    for law in known if laws is None else laws:
        try:
            known[law](trial)
        except Exception as error:
            found = str(error) if isinstance(error, AssertionError) else repr(error)
            raise AssertionError(f"{name} breaks the law {law!r}: {found}") from error


def _law(registry: dict[str, Callable[[Any], None]], name: str) -> Callable[[Any], Any]:
    def register(function: Callable[[Any], None]) -> Callable[[Any], None]:
        registry[name] = function
        return function

    return register
def shorten(positions: Sequence[int]) -> str:
    shown = ", ".join(str(position) for position in positions[:5])
    return shown if len(positions) <= 5 else f"{shown}, ... ({len(positions)} cuts)"

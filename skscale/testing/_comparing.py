"""What the laws compare with: to the bit, to rounding, and errors that have to come."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from skscale._kernels import Array

EPSILON = float(np.finfo(np.float64).eps)
EPSILON_32 = float(np.finfo(np.float32).eps)


def assert_close(
    actual: Any, expected: Any, allowed: float, what: str, by_column: bool = True
) -> None:
    """Equal up to `allowed` times the largest entry, of a column or of all."""
    actual, expected = (np.asarray(side, dtype=np.float64) for side in (actual, expected))
    assert actual.shape == expected.shape, f"{what}: {actual.shape} against {expected.shape}"
    special = ~np.isfinite(expected)
    np.testing.assert_array_equal(actual[special], expected[special], err_msg=what)
    assert np.isfinite(actual[~special]).all(), f"{what}: not finite"
    actual, expected = np.where(special, 0, actual), np.where(special, 0, expected)
    scale = np.abs(expected).max(axis=0 if by_column else None, initial=0.0)
    error = np.abs(actual - expected) / np.where(scale == 0, 1.0, scale)
    worst = error.max(initial=0.0)
    if worst > allowed:
        at = np.unravel_index(int(error.argmax()), error.shape)
        where = ", ".join(str(int(i)) for i in at)
        raise AssertionError(
            f"{what}: {actual[at]!r} against {expected[at]!r} at ({where}), a difference of "
            f"{worst:.3g} relative to the largest entry, where {allowed:.3g} is allowed"
        )


def assert_alike(actual: Any, expected: Any, allowed: float, what: str) -> None:
    """Fitted attributes of two fits that may differ by rounding."""
    try:
        numbers = np.asarray(expected).dtype.kind in "iufb" and expected is not None
    except ValueError:
        numbers = False
    if numbers:
        assert_close(actual, expected, allowed, what, by_column=False)
    elif not hasattr(expected, "merge"):
        assert_same_bits(actual, expected, what)


def assert_same_bits(actual: Any, expected: Any, what: str) -> None:
    """The same types and the same bits, all the way down; any NaN is as good as another."""
    kinds = f"{type(actual).__name__} against {type(expected).__name__}"
    assert type(actual) is type(expected), f"{what}: {kinds}"
    if isinstance(expected, np.ndarray):
        shapes = f"{actual.dtype} {actual.shape} against {expected.dtype} {expected.shape}"
        same = actual.dtype == expected.dtype and actual.shape == expected.shape
        assert same, f"{what}: {shapes}"
        if expected.dtype.kind != "f":
            assert actual.tolist() == expected.tolist(), f"{what}: {actual} against {expected}"
            return
        bits = f"i{expected.dtype.itemsize}" if expected.dtype.itemsize in (2, 4, 8) else None
        nan = np.isnan(actual) & np.isnan(expected)
        left, right = np.where(nan, 0, actual), np.where(nan, 0, expected)
        differ = left.view(bits) != right.view(bits) if bits else left != right
        if differ.any():
            first = tuple(np.argwhere(differ)[0]) if differ.ndim else ()
            raise AssertionError(
                f"{what}: {actual[first]!r} against {expected[first]!r} at "
                f"{tuple(map(int, first))}; {np.count_nonzero(differ)} of {differ.size} entries "
                "do not have the same bits"
            )
    elif isinstance(expected, dict):
        assert actual.keys() == expected.keys(), f"{what}: {set(actual) ^ set(expected)}"
        for key in expected:
            assert_same_bits(actual[key], expected[key], f"{what}, {key}")
    elif isinstance(expected, (list, tuple)):
        assert len(actual) == len(expected), f"{what}: {len(actual)} against {len(expected)}"
        for number, (mine, theirs) in enumerate(zip(actual, expected, strict=True)):
            assert_same_bits(mine, theirs, f"{what}, {number}")
    elif isinstance(expected, (float, np.floating)):
        same = actual == expected or (np.isnan(actual) and np.isnan(expected))
        assert same, f"{what}: {actual!r} against {expected!r}"
    elif (
        hasattr(expected, "__dict__") and not isinstance(expected, type) and not callable(expected)
    ):
        assert_same_bits(vars(actual), vars(expected), what)
    else:
        same = actual is expected or bool(actual == expected)
        same = same or pickle.dumps(actual) == pickle.dumps(expected)
        assert same, f"{what}: {actual!r} against {expected!r}"


def assert_frame(frame: Any, like: Any, values: Array, names: Sequence[str], what: str) -> None:
    assert type(frame) is type(like), f"{what}: a {type(frame).__module__} {type(frame).__name__}"
    assert list(frame.columns) == names, f"{what}: columns {list(frame.columns)}, not {names}"
    if hasattr(like, "index"):
        assert frame.index.equals(like.index), f"{what}: the index is lost"
    found = frame.to_numpy()
    assert found.dtype == values.dtype, f"{what}: {values.dtype} becomes {found.dtype}"
    np.testing.assert_array_equal(found, values, err_msg=what)


def assert_read_only(statistic: Any, what: str) -> None:
    for held in arrays(statistic):
        assert not held.flags.writeable, f"{what}: an array can be written to"


@contextmanager
def raises(what: str, *kinds: type[Exception]) -> Iterator[None]:
    try:
        yield
    except kinds as error:
        if str(error):
            return
        raise AssertionError(f"{what}: {type(error).__name__} without a message") from error
    raise AssertionError(f"{what}: accepted without an error")


def arrays(thing: Any, seen: set[int] | None = None) -> Iterator[Array]:
    """Every array that can be reached from here."""
    seen = set() if seen is None else seen
    if id(thing) in seen or isinstance(thing, (str, bytes, type)):
        return
    seen.add(id(thing))
    if isinstance(thing, np.ndarray):
        yield thing
    elif isinstance(thing, Mapping):
        for value in thing.values():
            yield from arrays(value, seen)
    elif isinstance(thing, (list, tuple, set)):
        for value in thing:
            yield from arrays(value, seen)
    elif hasattr(thing, "__dict__"):
        yield from arrays(vars(thing), seen)


def learned(transformer: Any) -> dict[str, Any]:
    """Public fitted attributes but the statistic, which is compared by what it does."""
    return {
        name: value
        for name, value in vars(transformer).items()
        if name.endswith("_") and not name.startswith("_") and name != "statistic_"
    }


def state(transformer: Any) -> dict[str, Any]:
    return copy.deepcopy(vars(transformer))

"""Two states, compared to the bit: what differs, where, and by how many units in the last place."""

from __future__ import annotations

import functools
import io
import re
import threading
import types
import weakref
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field
from math import inf
from typing import Any

import numpy as np
from scipy import sparse

from skscale import _tables as tables
from skscale._kernels import Array

# What says nothing about rows, and has no value to compare.
_OPAQUE = (
    io.IOBase,
    types.GeneratorType,
    types.FrameType,
    weakref.ReferenceType,
    type(threading.Lock()),
    type(threading.RLock()),
    threading.local,
    threading.Thread,
)

_DURATION = re.compile(r"(^|_)time(stamp)?_?$")
"""Names of measured times, which no two runs share: refit_time_, mean_fit_time."""

_BITS: dict[int, Any] = {2: np.int16, 4: np.int32, 8: np.int64}


@dataclass(frozen=True)
class Difference:
    """One place at which two states differ.

    Parameters
    ----------
    where : str
        Steps, attributes and keys that lead there: "standardscaler.mean_".
    ulp : float
        Largest distance in units in the last place, in steps of one for integers; infinite where
        types, shapes, or anything but numbers differ.
    is_float : bool
        Whether it is between floats, which a routine may round in another way.
    """

    where: str
    ulp: float
    is_float: bool = field(default=False, compare=False)


def differences(before: Any, after: Any, where: str = "") -> list[Difference]:
    """Compare two values all the way down.

    Any NaN is as good as another; a zero is not as good as minus zero. Objects are compared by
    attributes, extension types by what they would pickle, functions by their code and what they
    close over. Locks, files and references are passed over, and so is what is named a time.
    """
    return list(_Comparison().compare(before, after, where))


def differ(before: Any, after: Any) -> bool:
    """Whether two values differ at all: at once where they are arrays of numbers."""
    if (
        isinstance(before, np.ndarray)
        and isinstance(after, np.ndarray)
        and before.dtype.kind != "O"
    ):
        alike = before.dtype == after.dtype and before.shape == after.shape
        return not alike or before.tobytes() != after.tobytes()
    return next(_Comparison().compare(before, after, ""), None) is not None


def ulp_distance(before: Array, after: Array) -> float:
    """Largest distance of two arrays of one dtype and shape, 0 only where all bits agree."""
    if before.dtype.kind == "c":
        parts = ((before.real, after.real), (before.imag, after.imag))
        return max(ulp_distance(np.ascontiguousarray(a), np.ascontiguousarray(b)) for a, b in parts)
    if before.dtype.kind in "mM":
        before, after = before.view(np.int64), after.view(np.int64)
    if before.dtype.kind != "f":
        if before.dtype.kind not in "iu":
            return 0.0 if np.array_equal(before, after) else inf
        apart = before != after
        if not apart.any():
            return 0.0
        steps = before[apart].astype(np.float64) - after[apart].astype(np.float64)
        return max(1.0, float(np.abs(steps).max()))
    bits = _BITS.get(before.dtype.itemsize)
    if bits is None:  # extended precision has padding, and no integers of its size
        same = (before == after) | (np.isnan(before) & np.isnan(after))
        return 0.0 if same.all() else inf
    if not before.dtype.isnative:
        native = before.dtype.newbyteorder("=")
        before, after = before.astype(native), after.astype(native)
    apart = before.view(bits) != after.view(bits)
    if not apart.any():
        return 0.0
    before, after = before[apart], after[apart]
    missing, missing_too = np.isnan(before), np.isnan(after)
    if (missing != missing_too).any():
        return inf
    mine, other = _rank(before[~missing].view(bits)), _rank(after[~missing].view(bits))
    steps = np.where(mine > other, mine - other, other - mine)
    return float(steps.max(initial=0))


def _rank(bits: Array) -> Array:
    """Positions of floats among all floats, minus zero just below zero."""
    unsigned = np.dtype(f"u{bits.dtype.itemsize}")
    first_positive = unsigned.type(1 << (8 * unsigned.itemsize - 1))
    return np.where(bits < 0, ~bits.view(unsigned), bits.view(unsigned) | first_positive)


class _Comparison:
    """One walk through two states; pairs that were met before are not entered again."""

    def __init__(self) -> None:
        self._met: set[tuple[int, int]] = set()
        self._kept: list[Any] = []  # a temporary that was met must not give its address away

    def compare(self, before: Any, after: Any, where: str) -> Iterator[Difference]:
        if before is after or isinstance(before, _OPAQUE):
            return
        if type(before) is not type(after):
            yield Difference(where, inf)
            return
        if isinstance(before, (str, bytes, int, type(None))):
            if before != after:
                is_number = isinstance(before, int) and not isinstance(before, bool)
                yield Difference(where, min(abs(before - after), 1e300) if is_number else inf)
            return
        if isinstance(before, (float, complex, np.generic)):
            yield from self._arrays(np.asarray(before), np.asarray(after), where)
            return
        if isinstance(before, np.ndarray):
            yield from self._arrays(before, after, where)
            return
        if (id(before), id(after)) in self._met:
            return
        self._met.add((id(before), id(after)))
        self._kept += [before, after]
        yield from self._inside(before, after, where)

    def _inside(self, before: Any, after: Any, where: str) -> Iterator[Difference]:
        if isinstance(before, Mapping):
            yield from self._mappings(before, after, where)
        elif isinstance(before, (list, tuple)):
            yield from self._sequences(before, after, where)
        elif isinstance(before, Set):
            if before != after:
                yield Difference(where, inf)
        elif sparse.issparse(before):
            yield from self._sparse(before, after, where)
        elif tables.is_frame(before) or tables.is_series(before):
            mine, other = tables.parts_of(before), tables.parts_of(after)
            yield from self._mappings(mine, other, where)
        elif isinstance(before, types.FunctionType):
            yield from self._functions(before, after, where)
        elif isinstance(before, types.MethodType):
            yield from self.compare(before.__func__, after.__func__, where)
            yield from self.compare(before.__self__, after.__self__, where)
        elif isinstance(before, (type, types.ModuleType, types.BuiltinFunctionType)):
            if before != after:
                yield Difference(where, inf)
        else:
            yield from self._objects(before, after, where)

    def _arrays(self, before: Array, after: Array, where: str) -> Iterator[Difference]:
        if before.dtype != after.dtype or before.shape != after.shape:
            yield Difference(where, inf)
        elif before.dtype.names:  # field by field: what lies between them is never set
            for name in before.dtype.names:
                yield from self._arrays(before[name], after[name], _join(where, name))
        elif before.dtype.kind == "O":
            # One place for the whole array: its rows are no attributes.
            pairs = zip(before.ravel().tolist(), after.ravel().tolist(), strict=True)
            found = [part for mine, other in pairs for part in self.compare(mine, other, where)]
            if found:
                yield Difference(where, max(part.ulp for part in found))
        elif (ulp := ulp_distance(before, after)) > 0:
            yield Difference(where, ulp, before.dtype.kind in "fc")

    def _mappings(self, before: Any, after: Any, where: str) -> Iterator[Difference]:
        for key in before:
            if isinstance(key, str) and _DURATION.search(key):
                continue
            if key in after:
                yield from self.compare(before[key], after[key], _join(where, str(key)))
            else:
                yield Difference(_join(where, str(key)), inf)
        for key in after:
            if key not in before:
                yield Difference(_join(where, str(key)), inf)

    def _sequences(self, before: Any, after: Any, where: str) -> Iterator[Difference]:
        if len(before) != len(after):
            yield Difference(where, inf)
            return
        for number, (mine, other) in enumerate(zip(before, after, strict=True)):
            name = _step_name(mine)
            if name is not None and name == _step_name(other):
                owner = where.rpartition(".")[0]  # "standardscaler", not "steps.0.1"
                yield from self.compare(mine[1:], other[1:], _join(owner, name))
            elif isinstance(before, tuple) and len(before) <= 2:
                yield from self.compare(mine, other, where)
            else:
                yield from self.compare(mine, other, f"{where}[{number}]")

    def _sparse(self, before: Any, after: Any, where: str) -> Iterator[Difference]:
        if before.format != after.format or before.shape != after.shape:
            yield Difference(where, inf)
            return
        mine, other = (side.tocsr(copy=True) for side in (before, after))
        for side in (mine, other):
            side.sum_duplicates()
        for part in ("indptr", "indices", "data"):
            yield from self._arrays(getattr(mine, part), getattr(other, part), where)

    def _functions(self, before: Any, after: Any, where: str) -> Iterator[Difference]:
        if before.__code__ != after.__code__:
            yield Difference(where, inf)
            return
        yield from self.compare(before.__defaults__, after.__defaults__, where)
        yield from self.compare(_enclosed(before), _enclosed(after), where)

    def _objects(self, before: Any, after: Any, where: str) -> Iterator[Difference]:
        mine, other = _attributes(before), _attributes(after)
        if mine is not None and other is not None:
            yield from self._mappings(mine, other, where)
            return
        try:
            mine, other = before.__reduce_ex__(2), after.__reduce_ex__(2)
        except Exception:  # what cannot be pickled has no value that could be read
            return
        if isinstance(mine, tuple) and isinstance(other, tuple):
            for one, two in zip(mine, other, strict=False):
                if not isinstance(one, Iterator):
                    yield from self.compare(one, two, where)
                else:
                    yield from self.compare(list(one), list(two), where)
        elif mine != other:
            yield Difference(where, inf)


def _join(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def _step_name(item: Any) -> str | None:
    """Name of a step of a pipeline, a column transformer or an ensemble."""
    if isinstance(item, tuple) and len(item) >= 2 and isinstance(item[0], str):
        return item[0] if hasattr(item[1], "fit") or len(item) == 3 else None
    return None


def _enclosed(function: Any) -> list[Any]:
    cells = function.__closure__ or ()
    return [_content(cell) for cell in cells]


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # a name that was never bound
        return None


@functools.cache
def _slots(kind: Any) -> tuple[str, ...]:
    named = (vars(base).get("__slots__", ()) for base in kind.__mro__)
    listed = [(names,) if isinstance(names, str) else tuple(names) for names in named]
    return tuple(name for names in listed for name in names if not name.startswith("__"))


def _attributes(thing: Any) -> dict[str, Any] | None:
    """Attributes of an object of Python's; None for extension types and the like."""
    slots = {name: getattr(thing, name) for name in _slots(thing.__class__) if hasattr(thing, name)}
    held = getattr(thing, "__dict__", None)
    if held is None:
        return slots or None
    if type(thing).__flags__ & (1 << 9) == 0 or (not held and not slots):
        return None
    return {**slots, **held}

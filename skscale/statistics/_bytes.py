r"""Statistics as bytes, and back: what is sent where rows must stay.

A statistic is written as::

    magic     8 bytes, b"\x89skscale"
    version   2 bytes
    length    8 bytes, of the record
    checksum  32 bytes, SHA-256 of all other bytes
    record    kind, number of fields, fields

A field is its name, a tag and a value: ``f`` 8 bytes of float64, ``i`` an integer in as few
bytes as it takes, ``s`` text, ``r`` a record, ``a`` an array: type, memory order, number of axes,
lengths of the axes, numbers. Names, texts and integers begin with their length in one byte.
Everything is little-endian. What a field may hold is known from its class, so that bytes decide
neither what is built nor how deep.

The checksum tells damage, not malice: who can write the bytes can compute it. So what is read is
also held against the invariants of its kind.
"""

from __future__ import annotations

import functools
import hashlib
import math
import operator
import struct
from collections.abc import Iterator
from dataclasses import fields
from numbers import Integral, Real
from typing import Any, NoReturn, cast, get_type_hints

import numpy as np

from skscale._kernels import Array
from skscale.errors import IncompatibleStatisticError, StatisticBytesError

MAGIC = b"\x89skscale"
VERSION = 1
PREFIX = struct.Struct("<8sHQ")
HEADER = PREFIX.size + hashlib.sha256().digest_size

KINDS: dict[str, Any] = {}
"""Records by name: those that bytes may stand for."""

TYPES = {b"<f8": np.float64, b"<i8": np.int64, b"<u8": np.uint64, b"|b1": np.bool_}
CODES = {np.dtype(dtype): code for code, dtype in TYPES.items()}


# Writing ----------------------------------------------------------------------------------


def write(record: Any) -> bytes:
    """A record as bytes: the same for the same record, on any machine.

    Raises
    ------
    StatisticBytesError
        If a field is not of its type, or the invariants of the kind do not hold.
    """
    body = list(_record(record))
    if fault := next(record._faults(), None):
        raise StatisticBytesError(
            f"This {type(record).__name__} cannot be sent, because {fault}: it would be refused "
            "where it arrives. Measure the rows again; weights may need another unit."
        )
    prefix = PREFIX.pack(MAGIC, VERSION, sum(map(len, body)))
    return b"".join([prefix, _checksum(prefix, *body), *body])


def _record(record: Any) -> Iterator[bytes]:
    kind: Any = type(record)
    hints = field_types(kind)
    yield _text(kind.__name__)
    yield bytes([len(hints)])
    for name, hint in hints.items():
        value = getattr(record, name)
        yield _text(name)
        try:
            yield from _value(value, hint)
        except StatisticBytesError:  # of a record inside
            raise
        except (TypeError, ValueError, OverflowError) as error:
            raise StatisticBytesError(
                f"This {kind.__name__} cannot be sent: {name} is {_shown(value)}, and not what "
                f"{kind.__name__}.of and merge give."
            ) from error


def _value(value: Any, hint: Any) -> Iterator[bytes]:
    if hint in KINDS.values():
        if type(value) is not hint:
            raise TypeError
        yield b"r"
        yield from _record(value)
    elif hint == Array:
        yield from _array(value)
    elif isinstance(value, str) and hint is Any:
        yield b"s" + _text(value)
    elif isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError
    elif hint is int:
        yield b"i" + _integer(operator.index(cast(Integral, value)))
    else:
        yield b"f" + struct.pack("<d", float(value))


def _array(array: Any) -> Iterator[bytes]:
    if not isinstance(array, np.ndarray) or array.dtype not in CODES:
        raise TypeError
    by_columns = array.flags.f_contiguous and not array.flags.c_contiguous
    order = b"F" if by_columns else b"C"
    code = CODES[array.dtype]
    yield b"a" + code + order + bytes([array.ndim])
    yield struct.pack(f"<{array.ndim}Q", *array.shape)
    yield array.astype(code.decode(), copy=False).tobytes("F" if by_columns else "C")


def _text(text: str) -> bytes:
    encoded = text.encode()
    return bytes([len(encoded)]) + encoded


def _integer(value: int) -> bytes:
    size = value.bit_length() // 8 + 1
    return bytes([size]) + value.to_bytes(size, "little", signed=True)


def _shown(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"an array of dtype {value.dtype} and shape {value.shape}"
    if type(value) is int:
        return f"an integer of {value.bit_length()} bits"
    return f"a {type(value).__name__}"


# Reading ----------------------------------------------------------------------------------


def read(data: Any, kind: type | None = None) -> Any:
    """The record that bytes stand for; of this kind, if one is given.

    Raises
    ------
    StatisticBytesError
        If they are not bytes, or not those of a statistic of rows.
    IncompatibleStatisticError
        If they are those of another kind.
    """
    body = Reader(_body(data))
    name = body.text()
    if name not in KINDS:
        raise StatisticBytesError(
            f"The bytes are of a statistic of the kind {name!r}, which this version of skscale "
            f"does not know; it knows {', '.join(sorted(KINDS))}. Update skscale here."
        )
    if kind is not None and KINDS[name] is not kind:
        raise IncompatibleStatisticError(
            f"The bytes are of a {name}, not of a {kind.__name__}: read them with "
            f"{name}.from_bytes, or with skscale.statistics.from_bytes, which takes any kind."
        )
    record = body.record(KINDS[name])
    if body.position < len(body.data):
        _refuse(f"{len(body.data) - body.position} bytes follow the last field")
    if fault := next(record._faults(), None):
        _refuse(fault)
    return record


def _body(data: Any) -> memoryview:
    """The bytes of the record, which are what was written unless someone meant to change them."""
    if not isinstance(data, (bytes, bytearray, memoryview)):
        raise StatisticBytesError(
            f"A statistic is read from bytes, a bytearray or a memoryview; got "
            f"{type(data).__name__}. Of a file, pass what is in it: Path(...).read_bytes()."
        )
    try:
        data = bytes(data)  # a copy of what could change while it is read
    except ValueError as error:  # a memoryview that was released
        raise StatisticBytesError(f"The bytes cannot be read: {error}.") from error
    if not data.startswith(MAGIC):
        found = f"start with {data[:8]!r}" if data else "are none at all"
        raise StatisticBytesError(
            f"These are not the bytes of a statistic: they {found}, and not with {MAGIC!r}. "
            "Pass what statistic.to_bytes() returned, unchanged."
        )
    if len(data) < HEADER:
        raise StatisticBytesError(
            f"The bytes are cut off: {len(data)} are not even a header. Send all of them again."
        )
    _, version, length = PREFIX.unpack_from(data)
    if version != VERSION:
        raise StatisticBytesError(
            f"The bytes are of format version {version}, and this version of skscale reads "
            f"version {VERSION}. Use the same version of skscale on both sides."
        )
    body = memoryview(data)[HEADER:]
    if len(body) != length:
        raise StatisticBytesError(
            f"The bytes are {'cut off' if len(body) < length else 'too many'}: {len(body)} follow "
            f"the header, which announces {length}. Send them again, one statistic at a time."
        )
    if _checksum(data[: PREFIX.size], body) != data[PREFIX.size : HEADER]:
        raise StatisticBytesError(
            "The bytes were damaged on the way: they do not have the checksum that they had when "
            "they were written. Send them again."
        )
    return body


def _checksum(*parts: bytes | memoryview) -> bytes:
    checksum = hashlib.sha256()
    for part in parts:
        checksum.update(part)
    return checksum.digest()


class Reader:
    """Takes values off bytes, from the first on; nothing is larger than what is left of them."""

    def __init__(self, data: memoryview) -> None:
        self.data = data
        self.position = 0

    def take(self, size: int) -> bytes:
        return bytes(self.view(size))

    def view(self, size: int) -> memoryview:
        start = self.position
        if size > len(self.data) - start:
            _refuse(f"a value of {size} bytes begins {len(self.data) - start} before the end")
        self.position += size
        return self.data[start : self.position]

    def byte(self) -> int:
        return self.take(1)[0]

    def text(self) -> str:
        try:
            return self.take(self.byte()).decode()
        except UnicodeDecodeError:
            _refuse("a name or text is not UTF-8")

    def integer(self) -> int:
        stored = self.take(self.byte())
        value = int.from_bytes(stored, "little", signed=True)
        if _integer(value)[1:] != stored:
            _refuse("an integer is not as short as it can be")
        return value

    def record(self, kind: Any) -> Any:
        hints = field_types(kind)
        if (number := self.byte()) != len(hints):
            _refuse(f"a {kind.__name__} has {len(hints)} fields, and {number} are there")
        values = []
        for name, hint in hints.items():
            if (found := self.text()) != name:
                _refuse(f"the field {found!r} is where {kind.__name__}.{name} belongs")
            values.append(self.value(hint, f"{kind.__name__}.{name}"))
        return kind(*values)

    def value(self, hint: Any, name: str) -> Any:
        tag = self.take(1)
        if tag == b"r" and hint in KINDS.values():
            if (found := self.text()) != hint.__name__:
                _refuse(f"{name} is a {found!r}, not a {hint.__name__}")
            return self.record(hint)
        if tag == b"a" and hint == Array:
            return self.array(name)
        if tag == b"i" and hint is int:
            return self.integer()
        if tag == b"f" and hint in (float, Any):
            return float(struct.unpack("<d", self.take(8))[0])
        if tag == b"s" and hint is Any:
            return self.text()
        return _refuse(f"{name} has a value with the tag {tag!r}")

    def array(self, name: str) -> Array:
        code, order, n_axes = self.take(3), self.take(1), self.byte()
        if code not in TYPES or order not in (b"C", b"F") or n_axes > 2:
            _refuse(f"{name} is an array of type {code!r}, order {order!r} and {n_axes} axes")
        shape = struct.unpack(f"<{n_axes}Q", self.take(8 * n_axes))
        dtype = np.dtype(TYPES[code])
        # One by one too: an axis of length 0 lets any other be as long as it likes.
        if max(shape, default=0) > len(self.data):
            _refuse(f"{name} is an array of shape {shape}, larger than all bytes")
        stored = self.view(math.prod(shape) * dtype.itemsize)
        if dtype == np.bool_ and max(stored, default=0) > 1:
            _refuse(f"{name} is an array of truth values, one of which is neither 0 nor 1")
        array = np.empty(shape, dtype, order="F" if order == b"F" else "C")
        values: Any = np.frombuffer(stored, code.decode())
        array[...] = values.reshape(shape, order=order.decode())
        array.setflags(write=False)
        return array


@functools.cache
def field_types(kind: Any) -> dict[str, Any]:
    """What the fields of a record hold: `float`, `int`, `Array`, a kind; `Any` of several."""
    hints = get_type_hints(kind)
    known = {float, int, Array, *KINDS.values()}
    types = {field.name: hints[field.name] for field in fields(kind)}
    return {name: hint if hint in known else Any for name, hint in types.items()}


def _refuse(reason: str) -> NoReturn:
    raise StatisticBytesError(
        f"No rows leave behind what the bytes say: {reason}. They were not written by to_bytes() "
        "of this version, or were changed since, and their checksum with them. Do not trust them."
    )

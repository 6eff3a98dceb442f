"""What is to be predicted, as the numbers that a network is trained on."""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Number
from typing import Any, NamedTuple

import numpy as np
from sklearn.utils import assert_all_finite
from sklearn.utils.multiclass import type_of_target

from skscale._kernels import Array
from skscale.errors import ResponseError
from skscale.statistics import Moments

FEW = 10
"""So many different numbers may be classes, in however few rows."""

ROWS_OF_A_CLASS = 10
"""Where there are more different numbers, so many rows each, on average, make them classes."""

NUMBERS, CLASSES = "continuous", "classes"


class Response(NamedTuple):
    """What is to be predicted: numbers to regress on, or classes.

    Parameters
    ----------
    classes : list of array, or None
        For every output its classes, ascending; None for regression.
    moments : Moments or None
        Of the outputs of a regression, which is one on standardized numbers.
    """

    classes: list[Array] | None
    moments: Moments | None

    @classmethod
    def of(cls, y: Array, kind: str, weights: Array | None, classes: Any = None) -> Response:
        """Learn the mean and spread of outputs of shape (n_rows, n_outputs), or their classes.

        Raises
        ------
        ResponseError
            If no classes are given, and there are none to tell apart.
        """
        if kind == NUMBERS:
            return cls(None, Moments.of(y.astype(np.float64), weights))
        if classes is not None:
            return cls(classes, None)
        counted = y if weights is None else y[weights > 0]
        found = [np.unique(column) for column in counted.T]
        if all(len(of_output) < 2 for of_output in found):
            raise ResponseError(
                f"y has 1 class, {found[0].tolist()[0]!r}, from which nothing can be learned. Give "
                "rows of two classes at least, or name numbers to regress on by "
                f"target_type={NUMBERS!r}."
            )
        return cls(found, None)

    @property
    def is_constant(self) -> bool:
        """Whether these are numbers that do not differ, so that there is nothing to learn."""
        return self.moments is not None and not self.moments.deviation()[0].any()

    @property
    def parts(self) -> list[slice]:
        """Columns of the encoded outputs that are the classes of one output."""
        parts, stop = [], 0
        for of_output in self.classes or []:
            parts.append(slice(stop, stop + len(of_output)))
            stop += len(of_output)
        return parts

    def encode(self, y: Array) -> Array:
        """Outputs as numbers, shape (n_rows, n_encoded): standardized, or 1 for the class it is.

        Raises
        ------
        ResponseError
            For a class that is not known.
        """
        if self.classes is None:
            assert self.moments is not None
            width, exponent = self.moments.deviation()
            scale = np.ldexp(width, exponent)
            return (y - self.moments.mean) / np.where(scale == 0, 1.0, scale)
        for column, known in zip(y.T, self.classes, strict=True):
            if len(unknown := np.setdiff1d(column, known)):
                raise ResponseError(
                    f"y has classes that are not known: {unknown.tolist()}; known are "
                    f"{known.tolist()}. Name all classes in the first call of partial_fit, by "
                    "classes=."
                )
        return np.concatenate(
            [
                (column[:, np.newaxis] == known).astype(np.float64)
                for column, known in zip(y.T, self.classes, strict=True)
            ],
            axis=1,
        )

    def with_rows(self, y: Array, weights: Array | None) -> Response:
        """Numbers of these rows as well.

        Raises
        ------
        ResponseError
            Other outputs than before.
        """
        n_outputs = len(self.classes or [])
        if self.moments is not None:
            n_outputs = self.moments.n_features
        if y.shape[1] != n_outputs or (self.classes is None and y.dtype.kind not in "biuf"):
            kind = "numbers" if self.classes is None else "classes"
            raise ResponseError(
                f"y must hold {kind} in {n_outputs} column(s), as in the first call; got "
                f"{y.shape[1]} column(s) of dtype {y.dtype}"
            )
        if self.moments is None:
            return self
        return self._replace(moments=self.moments.merge(Moments.of(y.astype(float), weights)))


def read_response(y: Any, n_rows: int, owner: str) -> Array:
    """What is to be predicted as an array of shape (n_rows, n_outputs).

    Raises
    ------
    ResponseError
        None, of another length, or of another shape.
    ValueError
        NaN or infinity among numbers.
    """
    if y is None:
        raise ResponseError(
            f"{owner} requires y to be passed, but the target y is None: gamma and beta are "
            "learned from it. BatchNormalizer needs none."
        )
    y = _as_array(y)
    if y.ndim not in (1, 2) or y.size == 0:
        raise ResponseError(
            f"y must be of shape ({n_rows},), or ({n_rows}, n_outputs); got shape {y.shape}"
        )
    if len(y) != n_rows:
        raise ResponseError(
            f"y must have one value for every row of X: X has {n_rows} rows and y has {len(y)}."
        )
    if y.dtype.kind == "f":
        assert_all_finite(y, input_name="y")
    return y.reshape(n_rows, -1)


def _as_array(y: Any) -> Array:
    """Numbers, truth values or words as an array of one of these types."""
    values = np.asarray(y, dtype=object if isinstance(y, (list, tuple)) else None)
    if values.dtype.kind == "O":
        missing = np.array([_is_missing(value) for value in values.ravel()], dtype=bool)
        if missing.any():
            row = int(np.flatnonzero(missing)[0]) // max(1, values.size // len(values))
            raise ResponseError(
                f"y has missing values, the first in row {row}: what is to be learned from has to "
                "be known. Leave out these rows."
            )
        words = {isinstance(value, str) for value in values.ravel()}
        if len(words) == 1:
            values = np.array(values.tolist())
    if values.dtype.kind == "O" and all(isinstance(value, Number) for value in values.ravel()):
        values = values.astype(np.float64)
    if values.dtype.kind not in "biufU":
        kinds = sorted({type(value).__name__ for value in values.ravel()[:1000].tolist()})
        raise ResponseError(
            "Unknown label type: y must hold numbers, or classes of one type, words or numbers; "
            f"got values of type {', '.join(kinds)}."
        )
    return values


def _is_missing(value: Any) -> bool:
    """None, NaN, or the missing value of a library of frames."""
    try:
        return value is None or bool(value != value)
    except TypeError:  # nobody knows whether pandas.NA is not itself
        return True


def kind_of(y: Array, wanted: str) -> str:
    """Whether outputs are numbers to regress on or classes, where "auto" is wanted.

    Words and truth values are classes. So are numbers that are whole, unless they differ more than
    classes do: see `FEW` and `ROWS_OF_A_CLASS`.

    Raises
    ------
    ResponseError
        Neither, or no numbers where numbers are wanted.
    """
    if wanted == NUMBERS and y.dtype.kind not in "iufb":
        raise ResponseError(
            f"y must hold numbers where target_type is {NUMBERS!r}; got an array of dtype {y.dtype}"
        )
    if wanted != "auto":
        return wanted
    found = type_of_target(y[:, 0] if y.shape[1] == 1 else y, input_name="y")
    if found.startswith("continuous"):
        return NUMBERS
    if y.dtype.kind not in "iuf":
        return CLASSES
    most = max(len(np.unique(column)) for column in y.T)
    return CLASSES if most <= max(FEW, len(y) / ROWS_OF_A_CLASS) else NUMBERS


def kind_and_classes(y: Array, wanted: str, classes: Any) -> tuple[str, list[Array] | None]:
    """What `kind_of` says of the first rows of a stream, and the classes that are named.

    Raises
    ------
    ResponseError
        Classes of numbers.
    """
    known = _read_classes(classes, y.shape[1])
    if known is not None and wanted == NUMBERS:
        raise ResponseError(
            f"classes are given, and target_type is {NUMBERS!r}: leave out one of them."
        )
    return (kind_of(y, wanted) if known is None else CLASSES), known


def _read_classes(classes: Any, n_outputs: int) -> list[Array] | None:
    """Classes of every output, as they are named in the first call of `partial_fit`.

    Raises
    ------
    ResponseError
        Not one list of at least two for every output.
    """
    if classes is None:
        return None
    wanted = "a list of at least two classes" if n_outputs == 1 else f"{n_outputs} such lists"
    problem = f"classes must be {wanted}, one for each output of y; got {classes!r}"
    if isinstance(classes, (str, bytes)) or not isinstance(classes, Iterable):
        raise ResponseError(problem)
    lists = list(classes)
    are_lists = [isinstance(each, Iterable) and not isinstance(each, str) for each in lists]
    if n_outputs == 1 and not any(are_lists):
        lists, are_lists = [lists], [True]
    if len(lists) != n_outputs or not all(are_lists):
        raise ResponseError(problem)
    found = [np.unique(_as_array(list(each))) for each in lists]
    if any(len(of_output) < 2 for of_output in found):
        raise ResponseError(problem)
    return found

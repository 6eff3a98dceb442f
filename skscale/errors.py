"""Public exceptions and warnings: one class for each mistake a caller may want to catch.

Every class also derives from the built-in exception that scikit-learn raises for the same
mistake, so code written against scikit-learn keeps catching it.
"""

__all__ = [
    "AllMissingWarning",
    "CheckpointError",
    "ConditionError",
    "FrozenTransformerError",
    "HeldOutRowsError",
    "IncompatibleStatisticError",
    "InfiniteValueError",
    "InvalidParameterError",
    "LeakageError",
    "MissingDependencyError",
    "MissingValueError",
    "MutatedInputError",
    "NonNumericColumnError",
    "NothingRememberedError",
    "NothingShownWarning",
    "ResponseError",
    "SampleWeightError",
    "SchemaError",
    "SinkError",
    "SourceError",
    "SplitError",
    "StatisticBytesError",
    "TargetError",
    "TooWideError",
]


class InvalidParameterError(ValueError, TypeError):
    """A constructor argument is not among the allowed ones."""


class NonNumericColumnError(TypeError, ValueError):
    """A table has columns that are not numbers: text, categories, dates, objects."""


class InfiniteValueError(ValueError):
    """An infinity in the rows.

    Parameters
    ----------
    message : str
        What was found.
    row, column : int
        Position of the first infinity in the rows that were given.
    """

    def __init__(self, message: str, row: int = -1, column: int = -1) -> None:
        super().__init__(message)
        self.row = row
        self.column = column


class MissingValueError(ValueError):
    """NaN where the method has no rule for it.

    Parameters
    ----------
    message : str
        What was found.
    columns : tuple of int
        Positions of the columns that hold NaN.
    """

    def __init__(self, message: str, columns: tuple[int, ...] = ()) -> None:
        super().__init__(message)
        self.columns = columns


class SchemaError(ValueError):
    """The columns of a table are not the ones that were learned from."""


class SourceError(RuntimeError):
    """A source of rows that cannot be read, or not once more.

    Parameters
    ----------
    message : str
        What was found.
    block : int, default=-1
        Number of the first block that was not read, counted from 0; -1 if none could be.
    """

    def __init__(self, message: str, block: int = -1) -> None:
        super().__init__(message)
        self.block = block


class SinkError(RuntimeError):
    """A place for rows that cannot be written to.

    Parameters
    ----------
    message : str
        What was found.
    block : int, default=-1
        Number of the block that could not be written, counted from 0.
    """

    def __init__(self, message: str, block: int = -1) -> None:
        super().__init__(message)
        self.block = block


class CheckpointError(ValueError):
    """A checkpoint that is damaged, or of another fit than the one that is to go on."""


class SplitError(ValueError):
    """A split that is none: no training rows, rows in both parts, rows that are not there."""


class SampleWeightError(ValueError):
    """Sample weights of the wrong shape, or negative, missing, infinite or all zero."""


class ConditionError(ValueError):
    """Conditions of rows that are missing, of the wrong number, or of no kind that has names."""


class IncompatibleStatisticError(ValueError):
    """Two statistics cannot be merged, or a transformer cannot be solved from this one."""


class StatisticBytesError(ValueError, TypeError):
    """Bytes that are not those of a statistic of rows, or a statistic that cannot be written."""


class TooWideError(ValueError):
    """A table has too many columns for a method that keeps a square matrix of them."""


class FrozenTransformerError(RuntimeError):
    """A frozen transformer was asked to learn from rows other than those it was learned from."""


class HeldOutRowsError(RuntimeError):
    """Rows that were to be held out are among those that something is being fitted on."""


class NothingRememberedError(ValueError):
    """A fitted object was asked for its rows, and was not told to remember any."""


class MissingDependencyError(ImportError):
    """An optional library was asked for and is not installed, or too old."""


class AllMissingWarning(UserWarning):
    """A column without a single value: nothing was learned about it, it stays NaN."""


class LeakageError(AssertionError):
    """Something depends on rows that are held out."""


class TargetError(ValueError, TypeError):
    """What is to be audited or shown is of no known form, or cannot be run on the rows given."""


class ResponseError(ValueError):
    """What is to be predicted is missing, has another length, or nothing can be learned from it."""


class MutatedInputError(ValueError):
    """What is audited writes into the table that it is given."""


class NothingShownWarning(UserWarning):
    """An audit that showed neither a leak nor that none was observed."""

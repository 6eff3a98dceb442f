"""Tables to time on, described by a few words and made when their turn comes."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

Layout = Literal["C", "Fortran", "pandas", "pandas by column", "pandas mixed", "polars"]

FACTORS = 10
"""Directions that columns have in common, so that a PCA has something to find."""


PERIOD = 10_000_000
"""Numbers that are drawn; a larger table repeats them, so that it is made in no time."""


@dataclass(frozen=True)
class Data:
    """A table that is not made yet: normal columns with common factors, means and scales."""

    rows: int
    columns: int
    dtype: Literal["float64", "float32"] = "float64"
    layout: Layout = "C"
    missing: float = 0.0

    def __str__(self) -> str:
        """The shape, and what is not float64 in C order: "100 x 10, float32"."""
        missing = f"{self.missing:.0%} NaN" if self.missing else ""
        dtype = "" if self.dtype == "float64" else self.dtype
        layout = "" if self.layout == "C" else self.layout
        return ", ".join(
            filter(None, (f"{self.rows:,} x {self.columns:,}", dtype, layout, missing))
        )

    def array(self) -> np.ndarray:
        """Return the numbers in C order; they start again after so many rows."""
        period = min(self.rows, max(1, PERIOD // self.columns))
        random = np.random.default_rng(0)
        loadings = random.standard_normal((FACTORS, self.columns))
        loadings /= np.linalg.norm(loadings, axis=1, keepdims=True)
        rows = random.standard_normal((period, self.columns))
        rows += random.standard_normal((period, FACTORS)) * np.geomspace(10, 1, FACTORS) @ loadings
        rows *= random.uniform(0.5, 2, self.columns)
        rows += random.standard_normal(self.columns)
        if self.missing:
            rows[random.random(rows.shape) < self.missing] = np.nan
        X = np.empty((self.rows, self.columns), self.dtype)
        for start in range(0, self.rows, period):
            X[start : start + period] = rows[: self.rows - start]
        return X

    def make(self) -> Any:
        """Return the table.

        Raises
        ------
        ImportError
            The table library is not installed.
        """
        X = self.array()
        names = [f"x{column}" for column in range(self.columns)]
        if self.layout == "C":
            return X
        if self.layout == "Fortran":
            return np.asfortranarray(X)
        if self.layout == "polars":
            import polars

            return polars.DataFrame(X, schema=names)
        import pandas

        if self.layout == "pandas by column":  # every column a block of its own
            apart = np.asfortranarray(X)
            columns = {name: apart[:, column] for column, name in enumerate(names)}
            return pandas.DataFrame(columns, copy=False)
        frame = pandas.DataFrame(X, columns=names)
        if self.layout == "pandas mixed":
            fifth = self.columns // 5
            narrow, whole = names[:fifth], names[fifth : 2 * fifth]
            return frame.astype(dict.fromkeys(narrow, "float32") | dict.fromkeys(whole, "int64"))
        return frame

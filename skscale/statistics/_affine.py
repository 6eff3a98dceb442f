"""Affine maps of rows, which map the statistics of the rows."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from skscale._kernels import Array, two_sum


class AffineMap(NamedTuple):
    """Rows to ``matrix @ (x - centre) + offset``.

    Parameters
    ----------
    matrix : array of shape (n_out, n_features) or (n_features,)
        A vector is the diagonal of a matrix, so that every column is mapped by itself.
    offset : array of shape (n_out,)
        Image of the centre.
    centre, centre_low : arrays of shape (n_features,)
        Subtracted first, as an unevaluated sum of two floats: a mean far from zero then costs
        no digits.
    """

    matrix: Array
    offset: Array
    centre: Array
    centre_low: Array

    @classmethod
    def of(
        cls, n_features: int, matrix: Any, offset: Any, centre: Any, centre_low: Any
    ) -> AffineMap:
        """The map in float64, one number standing for one per column.

        Raises
        ------
        ValueError
            If the matrix has not one column per feature.
        """
        matrix = np.asarray(matrix, dtype=np.float64)
        if matrix.ndim not in (1, 2) or matrix.shape[-1] != n_features:
            raise ValueError(
                f"matrix must be of shape (n_out, {n_features}), or ({n_features},) for a "
                f"diagonal; got {matrix.shape}"
            )
        return cls(
            matrix,
            _each(offset, len(matrix)),
            _each(centre, n_features),
            _each(centre_low, n_features),
        )

    @property
    def is_columnwise(self) -> bool:
        return self.matrix.ndim == 1

    def image(self, high: Array, low: Array) -> tuple[Array, Array]:
        """Image of a point, both as unevaluated sums of two floats."""
        distance, rest = two_sum(high, -self.centre)
        rest = rest + (low - self.centre_low)
        if not self.is_columnwise:
            return two_sum(self.matrix @ distance + self.matrix @ rest, self.offset)
        image, error = two_sum(self.matrix * distance, self.offset)
        return two_sum(image, error + self.matrix * rest)


def _each(value: Any, size: int) -> Array:
    """A vector of that size, of one or of one number for all."""
    vector = np.asarray(value, dtype=np.float64)
    return vector if vector.shape == (size,) else np.broadcast_to(vector, (size,))

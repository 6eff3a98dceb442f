"""Probabilistic PCA: principal components plus noise of equal variance in every direction.

Without noise the density lives in the subspace of the components, and determinants and inverses
are those in that subspace.

References
----------
Tipping, M. E. and Bishop, C. M. (1999). Probabilistic principal component analysis. Journal of
the Royal Statistical Society B 61, 611-622.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from skscale._kernels import Array


class ProbabilisticModel(NamedTuple):
    """Gaussian with covariance ``components' diag(variance - noise) components + noise I``.

    Parameters
    ----------
    components : array of shape (k, n_features)
        Orthonormal rows.
    variance : array of shape (k,)
        Variances along them, not below `noise`; 0 for directions that are not there.
    noise : float
        Variance in all other directions.
    """

    components: Array
    variance: Array
    noise: float

    def covariance(self) -> Array:
        excess = np.maximum(self.variance - self.noise, 0.0)
        flat = self.noise * np.eye(self.components.shape[1])
        return (self.components.T * excess) @ self.components + flat

    def precision(self) -> Array:
        """Inverse of the covariance, or its pseudo-inverse without noise."""
        inverse = self._inverse_variance()
        if self.noise == 0:
            return (self.components.T * inverse) @ self.components
        flat = 1 / self.noise
        identity = flat * np.eye(self.components.shape[1])
        return (self.components.T * (inverse - flat)) @ self.components + identity

    def log_likelihood(self, deviation: Array) -> Array:
        """Log density of rows, given as deviations from the mean."""
        inverse = self._inverse_variance()
        projected = deviation @ self.components.T
        distance = projected**2 @ inverse
        log_precision = np.log(inverse[inverse > 0]).sum()
        if self.noise > 0:
            residual = deviation - projected @ self.components
            distance += np.einsum("ij,ij->i", residual, residual) / self.noise
            n_features = self.components.shape[1]
            log_precision -= (n_features - len(inverse)) * np.log(self.noise)
        return (log_precision - self.dimensions * np.log(2 * np.pi) - distance) / 2

    @property
    def dimensions(self) -> int:
        """Dimensions that the density lives in."""
        if self.noise > 0:
            return int(self.components.shape[1])
        return int(np.count_nonzero(self.variance))

    def _inverse_variance(self) -> Array:
        variance = np.maximum(self.variance, self.noise)
        return np.where(variance > 0, 1 / np.where(variance > 0, variance, 1.0), 0.0)

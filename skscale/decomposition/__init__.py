"""Decompositions: columns turned, cut and scaled together."""

from skscale.decomposition._pca import PCA
from skscale.decomposition._whitener import Whitener

__all__ = ["PCA", "Whitener"]

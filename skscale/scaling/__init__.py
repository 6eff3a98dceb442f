"""Scalers: every column by itself."""

from skscale.scaling._minmax import MinMaxScaler
from skscale.scaling._standard import StandardScaler

__all__ = ["MinMaxScaler", "StandardScaler"]

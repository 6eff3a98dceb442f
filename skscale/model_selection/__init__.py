"""Cross-validation that shares what it measures, and cannot leak."""

from skscale.model_selection._cross_fit import cross_fit

__all__ = ["cross_fit"]

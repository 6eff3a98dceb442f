"""Leakage: whether what was learned was really learned from the train rows alone."""

from skscale.leakage._freeze import freeze, unfreeze
from skscale.leakage._guard import LeakageGuard
from skscale.leakage._prescaled import check_prescaled
from skscale.leakage._seen import remember_rows, seen_in_fit
from skscale.leakage._split import check_split

__all__ = [
    "LeakageGuard",
    "check_prescaled",
    "check_split",
    "freeze",
    "remember_rows",
    "seen_in_fit",
    "unfreeze",
]

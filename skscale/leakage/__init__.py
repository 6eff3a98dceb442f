"""Leakage: whether what was learned was learned from training rows alone.

`audit` changes held-out rows and looks at what moves; `assert_train_only` is the same for a test
suite. `verify_fit` tells whether a fitted object was fitted on exactly these rows. `check_split`
and `check_prescaled` look at tables. `freeze` and `LeakageGuard` refuse what would leak.
"""

from skscale.leakage._audit import assert_train_only, audit
from skscale.leakage._freeze import freeze, unfreeze
from skscale.leakage._guard import LeakageGuard
from skscale.leakage._prescaled import check_prescaled
from skscale.leakage._seen import remember_rows, seen_in_fit
from skscale.leakage._split import check_split
from skscale.leakage._verify import verify_fit

__all__ = [
    "LeakageGuard",
    "assert_train_only",
    "audit",
    "check_prescaled",
    "check_split",
    "freeze",
    "remember_rows",
    "seen_in_fit",
    "unfreeze",
    "verify_fit",
]

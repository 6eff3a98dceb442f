"""Proof, as far as probes go, that nothing is learned from the rows that are held out.

`audit` changes held-out rows and looks at what moves; `assert_train_only` is the same for a test
suite. `verify_fit` tells whether a fitted object was fitted on exactly these rows.
"""

from skscale.leakage._audit import assert_train_only, audit
from skscale.leakage._verify import verify_fit

__all__ = ["assert_train_only", "audit", "verify_fit"]

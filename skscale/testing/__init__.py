"""The laws of statistics and transformers, as checks for our classes and for other people's.

`check_statistic` and `check_transformer` raise AssertionError for the first law that is broken.
scikit-learn's ``check_estimator`` asks whether an object behaves like an estimator; these ask
whether its numbers are those of the training rows, of all of them and of nothing else. A scaler
that learns from its first 100 rows only passes the former.

A law is a function of one trial: the object under test, tables to try it on, and how much rounding
is allowed. `STATISTIC_LAWS` and `TRANSFORMER_LAWS` list them by name, for test suites that want one
test for each.
"""

from skscale.testing._statistics import STATISTIC_LAWS, check_statistic
from skscale.testing._transformers import TRANSFORMER_LAWS, check_transformer

__all__ = ["STATISTIC_LAWS", "TRANSFORMER_LAWS", "check_statistic", "check_transformer"]

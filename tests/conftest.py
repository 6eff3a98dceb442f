"""Profiles of hypothesis, and the careful way for all.

`SKSCALE_TEST_PROFILE`: "ci" draws the same few examples every time, "deep" many new ones.
`SKSCALE_TEST_CAREFUL=1`: no table is plain, so that everything goes through every check.
"""

import os

from hypothesis import HealthCheck, settings

from skscale import _tables as tables

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]

settings.register_profile(
    "ci",
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=50,
    suppress_health_check=SLOW,
)
settings.register_profile(
    "deep", database=None, deadline=None, max_examples=1000, suppress_health_check=SLOW
)
settings.load_profile(os.environ.get("SKSCALE_TEST_PROFILE", "ci"))

if os.environ.get("SKSCALE_TEST_CAREFUL"):
    tables.read_plain = lambda X: None

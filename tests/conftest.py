"""Profiles of hypothesis: `ci` draws the same few examples every time, `deep` many new ones."""

import os

from hypothesis import HealthCheck, settings

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

"""A pytest plugin that seats skscale's classes in scikit-learn and keeps a ledger of its tests.

The exchange is the one a user makes: of the names in the public packages `sklearn.preprocessing`
and `sklearn.decomposition`, before a test file is imported. The private modules behind them stay as
they are, and with them the functions that take the class from there (`minmax_scale`) and the
helpers that tests import (`_handle_zeros_in_scale`).

The ledger is a JSON object, one entry per test id ("file.py::test[case]"):
outcome    "passed", "failed" or "skipped"
exercised  whether the test made an instance of our classes or called a public method of one
why        the last lines of a failure, or the reason of a skip
"""

import functools
import inspect
import json
from pathlib import Path

import pytest
import sklearn.decomposition
import sklearn.preprocessing
from sklearn.base import BaseEstimator

import skscale

SEATS = {
    "MinMaxScaler": sklearn.preprocessing,
    "StandardScaler": sklearn.preprocessing,
    "PCA": sklearn.decomposition,
}
LAST_LINES = 20


class Ledger:
    """What became of each test; written when the session ends."""

    def __init__(self, path):
        self.path = path
        self.entries = {}
        self.touched = False

    def watch(self, ours):
        """Note here every construction and every call of a method not common to all estimators."""
        for name, method in inspect.getmembers_static(ours, inspect.isfunction):
            common = name.startswith("_") or hasattr(BaseEstimator, name)
            if name == "__init__" or not common:
                setattr(ours, name, self._noting(method))

    def _noting(self, method):
        @functools.wraps(method)
        def noted(*args, **kwargs):
            self.touched = True
            return method(*args, **kwargs)

        return noted

    def pytest_runtest_logstart(self):
        self.touched = False

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item):
        report = yield
        test = f"{item.path.name}::{item.nodeid.partition('::')[2]}"
        entry = self.entries.setdefault(test, {"outcome": "passed", "why": ""})
        if not report.passed:
            lines = report.longreprtext.splitlines()
            entry |= {"outcome": report.outcome, "why": "\n".join(lines[-LAST_LINES:])}
        entry["exercised"] = self.touched and entry["outcome"] != "skipped"
        return report

    def pytest_sessionfinish(self):
        self.path.write_text(json.dumps(self.entries), encoding="utf-8")


def pytest_addoption(parser):
    parser.addoption("--ledger", type=Path, required=True, help="the JSON file to write")


def pytest_configure(config):
    ledger = Ledger(config.getoption("--ledger"))
    config.pluginmanager.register(ledger)
    for name, package in SEATS.items():
        ours = getattr(skscale, name)
        ledger.watch(ours)
        setattr(package, name, ours)

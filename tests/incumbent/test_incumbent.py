"""scikit-learn's own tests of the classes we replace, run on ours: only what we list may fail.

Each of its two test files runs once, whole, in a process of its own: the exchange must precede the
import of the file, and must not reach our other tests. `_swap.py` makes the exchange and keeps the
ledger; `contrary.toml` lists the tests that ours fail on purpose, each with a reason.
"""

import json
import os
import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest
import sklearn
from packaging.specifiers import SpecifierSet
from packaging.version import Version

HERE = Path(__file__).parent
INSTALLED = Version(sklearn.__version__)
FILES = {
    "test_data.py": "sklearn.preprocessing.tests.test_data",
    "test_pca.py": "sklearn.decomposition.tests.test_pca",
}
DECIDED = "test_data.py::test_standard_scaler_near_constant_features["
OTHERS_AT_MOST = 0.03  # of the tests that exercise our classes


@dataclass(frozen=True)
class Contrary:
    """An entry of the list: tests of scikit-learn that ours must fail, and why."""

    tests: str
    cases: int
    reason: str
    sklearn: str = ""

    @property
    def applies(self):
        return SpecifierSet(self.sklearn).contains(INSTALLED, prereleases=True)

    def __contains__(self, test):
        return re.fullmatch(re.escape(self.tests).replace(r"\*", ".*"), test) is not None


@pytest.fixture(scope="module")
def listed():
    """How many tests must exercise our classes, by file, and the entries said of this version."""
    document = tomllib.loads((HERE / "contrary.toml").read_text(encoding="utf-8"))
    release = f"{INSTALLED.major}.{INSTALLED.minor}"
    if release not in document["exercised"]:
        known = ", ".join(document["exercised"])
        pytest.skip(f"contrary.toml was made for scikit-learn {known}; {INSTALLED} is installed")
    entries = [Contrary(**entry) for entry in document["contrary"]]
    return document["exercised"][release], [entry for entry in entries if entry.applies]


@pytest.mark.parametrize("file", FILES)
def test_only_what_is_listed_fails(file, listed, tmp_path):
    exercised, entries = listed
    entries = [entry for entry in entries if entry.tests.startswith(f"{file}::")]
    told = disagreements(run(FILES[file], tmp_path), entries, exercised[file])
    if told:
        pytest.fail("\n\n".join([f"scikit-learn {INSTALLED}, {file}:", *told]), pytrace=False)


def test_list_is_short_and_reasoned(listed):
    exercised, entries = listed
    others = sum(entry.cases for entry in entries if not entry.tests.startswith(DECIDED))
    assert others <= OTHERS_AT_MOST * sum(exercised.values())
    assert all(entry.reason.strip() for entry in entries)
    assert all(entry.tests.split("::")[0] in FILES for entry in entries)


def run(module, scratch):
    """The ledger of one of scikit-learn's test modules, run with our classes in its seats."""
    ini, ledger = scratch / "pytest.ini", scratch / "ledger.json"
    ini.write_text("[pytest]\n")  # neither our filters nor our options are scikit-learn's
    command = [sys.executable, "-B", "-m", "pytest", "-p", "_swap", "--ledger", ledger]
    command += ["-p", "no:cacheprovider", "--basetemp", scratch / "tmp"]
    command += ["-c", ini, "--rootdir", scratch, "--tb=native", "-q", "--pyargs", module]
    done = subprocess.run(
        command, cwd=scratch, env=surroundings(), capture_output=True, text=True, check=False
    )
    ran = done.returncode in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
    if not (ran and ledger.exists()):
        pytest.fail(f"{module} did not run:\n{done.stdout}{done.stderr}", pytrace=False)
    return json.loads(ledger.read_text(encoding="utf-8"))


def surroundings():
    """Our environment and import path, without what would steer the inner pytest."""
    steering = ("PYTEST_", "PYTHONWARNINGS", "SKLEARN_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(steering)}
    return kept | {
        "PYTHONPATH": os.pathsep.join([str(HERE), *sys.path]),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        # By this scikit-learn's conftest shares out the cores, and leaves BLAS one thread; with
        # more, beside the other processes of a parallel run, 20 s have become 290.
        "PYTEST_XDIST_WORKER_COUNT": str(os.cpu_count()),
    }


def disagreements(ledger, entries, exercised_at_least):
    """Where the ledger and the list contradict each other, each told so that one can act on it."""
    told = []
    for test, entry in ledger.items():
        if entry["outcome"] == "failed" and not any(test in known for known in entries):
            told.append(f"fails and is not listed: {test}\n{entry['why']}")
    for known in entries:
        met = {test: ledger[test]["outcome"] for test in ledger if test in known}
        if len(met) != known.cases:
            told.append(f"listed as {known.cases} tests, but {len(met)} are there: {known.tests}")
        met_otherwise = {test: outcome for test, outcome in met.items() if outcome != "failed"}
        told += [f"listed and {outcome}: {test}" for test, outcome in met_otherwise.items()]
    exercised = sum(entry["exercised"] for entry in ledger.values())
    if exercised < exercised_at_least:
        told.append(f"{exercised} tests exercise our classes, at least {exercised_at_least} should")
    return told


@pytest.mark.parametrize(
    ("listed_1", "listed_2", "other", "told"),
    [
        ("failed", "failed", "passed", []),
        ("failed", "failed", "failed", ["fails and is not listed: f.py::b\nbecause"]),
        ("failed", "passed", "passed", ["listed and passed: f.py::a[2]"]),
        ("failed", "skipped", "passed", ["listed and skipped: f.py::a[2]"]),
        ("failed", "absent", "passed", ["listed as 2 tests, but 1 are there: f.py::a[*]"]),
        ("failed", "failed", "skipped", ["2 tests exercise our classes, at least 3 should"]),
    ],
)
def test_each_disagreement_is_told(listed_1, listed_2, other, told):
    outcomes = {"f.py::a[1]": listed_1, "f.py::a[2]": listed_2, "f.py::b": other}
    ledger = {
        test: {"outcome": outcome, "exercised": outcome != "skipped", "why": "because"}
        for test, outcome in outcomes.items()
        if outcome != "absent"
    }
    at_least = 3 if other == "skipped" else 2
    entries = [Contrary("f.py::a[*]", 2, "by decision")]
    assert disagreements(ledger, entries, at_least) == told

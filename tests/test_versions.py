"""What `show_versions` says."""

import platform
from importlib import metadata

import numpy as np
import pytest

import skscale
from skscale import _kernels as kernels
from skscale import _versions


@pytest.fixture
def shown(capsys):
    def show():
        skscale.show_versions()
        return dict(line.split(": ", 1) for line in capsys.readouterr().out.splitlines())

    return show


def test_says_what_is_in_use(shown):
    with skscale.thread_limit(3):
        lines = shown()
    assert lines["kernels"] == kernels.IN_USE
    assert lines["threads"] == "3"
    assert lines["numpy"] == np.__version__
    assert lines["python"] == platform.python_version()
    assert "threads" in lines["blas"]


def test_says_what_is_not_installed(shown, monkeypatch):
    def version(name):
        if name == "pyarrow":
            raise metadata.PackageNotFoundError(name)
        return "1.2.3"

    monkeypatch.setattr(_versions, "version", version)
    lines = shown()
    assert lines["pyarrow"] == "not installed"
    assert lines["polars"] == "1.2.3"

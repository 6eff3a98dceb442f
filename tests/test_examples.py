"""The examples that are quick enough to be run whenever the tests are."""

import runpy
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

pytest.importorskip("pandas", reason="the example reads files with pandas")

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.fixture(scope="module")
def three_sites():
    return runpy.run_path(str(EXAMPLES / "three_sites.py"))


def test_three_sites_learn_what_scikit_learn_learns_of_all_rows(three_sites, tmp_path):
    messages = [
        three_sites["measure"](path) for path in three_sites["write_files"](tmp_path).values()
    ]
    scaler, pca = three_sites["learn"](three_sites["merge"](messages))
    rows = load_breast_cancer().data
    expected = StandardScaler().fit(rows)
    axes = PCA(5, svd_solver="full").fit(expected.transform(rows))
    np.testing.assert_allclose(scaler.mean_, expected.mean_, rtol=1e-13)
    np.testing.assert_allclose(scaler.scale_, expected.scale_, rtol=1e-13)
    np.testing.assert_allclose(pca.explained_variance_, axes.explained_variance_, rtol=1e-12)
    found = pca.components_ * np.sign(pca.components_[:, :1])
    np.testing.assert_allclose(
        found, axes.components_ * np.sign(axes.components_[:, :1]), atol=1e-12
    )
    assert list(scaler.feature_names_in_) == list(load_breast_cancer().feature_names)


def test_three_sites_prints_what_it_promises(three_sites, capsys):
    three_sites["main"]()
    printed = capsys.readouterr().out
    differences = [float(line.split()[-1]) for line in printed.splitlines()[-5:]]
    assert max(differences) < 1e-13
    assert printed.splitlines()[1].split()[:2] == ["north", "350"]

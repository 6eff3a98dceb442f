"""The site is set up rightly, and what looks at it when it is built sees what is wrong.

The site itself is built, with warnings as errors, by `.ci/run`.
"""

import re
import runpy
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXAMPLES = sorted((ROOT / "examples" / "gallery").glob("*.py"))


@pytest.fixture(scope="module")
def conf():
    pytest.importorskip("sphinx_gallery", reason="the configuration needs the docs extra")
    return runpy.run_path(str(DOCS / "conf.py"))


def test_extensions_are_in_the_extra(conf):
    extra = {re.match(r"[\w-]+", wanted)[0] for wanted in PROJECT["optional-dependencies"]["docs"]}
    used = {name.split(".")[0].replace("_", "-") for name in conf["extensions"]}
    assert {*used, conf["html_theme"].replace("_", "-")} <= extra
    assert conf["release"] == PROJECT["version"]


def test_files_of_the_configuration_are_there(conf):
    static = [DOCS / "_static" / name for name in conf["html_css_files"]]
    logo = conf["html_theme_options"]["logo"]
    pictures = [DOCS / logo["image_light"], DOCS / logo["image_dark"], DOCS / conf["html_favicon"]]
    gallery = (DOCS / conf["sphinx_gallery_conf"]["examples_dirs"]).resolve()
    assert [path for path in [*static, *pictures, gallery] if not path.exists()] == []
    assert [page for page in conf["html_sidebars"] if not (DOCS / f"{page}.md").is_file()] == []


def test_nothing_is_fetched(conf):
    assert not {"sphinx.ext.intersphinx", "sphinx.ext.mathjax"} & set(conf["extensions"])
    sources = [*DOCS.rglob("*.md"), *EXAMPLES, *(ROOT / "skscale").rglob("*.py")]
    formula = re.compile(r"^\.\. math::|:math:`|^```\{math\}|\{math\}`", re.MULTILINE)
    assert [path for path in sources if formula.search(path.read_text(encoding="utf-8"))] == []


def test_own_methods_are_told_from_inherited_ones(conf):
    is_own = conf["is_own"]
    assert is_own("skscale", "StandardScaler", "fit")
    assert not is_own("skscale", "StandardScaler", "get_params")
    assert not is_own("skscale.model_selection", "GridSearchCV", "predict")


def test_attributes_in_types_are_no_links(conf):
    lines = ["mean_, var_ : shape (n_features_in_,)", "    See `mean_` (a_, b).", ">>> f(mean_, x)"]
    conf["escape_attributes"](None, "class", "", None, None, lines)
    assert lines == [
        r"mean_, var_ : shape (n_features_in\_,)",
        "    See `mean_` (a_, b).",
        lines[2],
    ]


@pytest.mark.parametrize("script", EXAMPLES, ids=lambda script: script.stem)
def test_an_example_is_a_page(script):
    """A title, text between cells, a picture, and nothing that has to be downloaded."""
    text = script.read_text(encoding="utf-8")
    title, line = text.splitlines()[1:3]
    assert re.fullmatch("=+", line)
    assert len(line) == len(title)
    assert text.count("\n# %%\n") >= 2
    assert "plt." in text
    assert "fetch_" not in text


def test_what_examples_import_is_installed_with_the_docs():
    wanted = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["docs"]]
    installed = {re.match(r"[\w-]+", name)[0] for name in wanted} | {"skscale"}
    for script in EXAMPLES:
        found = re.findall(r"^ *(?:import|from) (\w+)", script.read_text(encoding="utf-8"), re.M)
        names = {"scikit-learn" if name == "sklearn" else name for name in found}
        assert names - installed - sys.stdlib_module_names == set(), script


def test_one_command_builds_the_site():
    command = "python -m sphinx -W --keep-going docs docs/_build/html"
    for file in ("README.md", "docs/contributing.md", "docs/conf.py", ".ci/run"):
        assert command in (ROOT / file).read_text(encoding="utf-8"), file


HOME = '<p id="top"><a href="#top"></a><a href="sub/page.html?x#part"></a><img alt="" src="a.png">'
PAGE = '<p id="part"><a href="../index.html"></a><a href="https://x.org/a"></a>'


@pytest.mark.parametrize(
    ("addition", "fault"),
    [
        ("", None),
        ('<a href="data:text/plain,x"></a>', None),
        ('<a href="nothing.html"></a>', "nothing.html is not there"),
        ('<a href="page.html#nowhere"></a>', "page.html#nowhere is no anchor there"),
        ('<a href="http://x.org"></a>', "no https address"),
        ('<img src="../a.png">', "../a.png has no alternative text"),
        ('<img alt="" src="b.png">', "b.png is not there"),
        ('<script src="https://x.org/a.js"></script>', "loads https://x.org/a.js"),
        ('<link rel="stylesheet" href="https://x.org/a.css">', "loads https://x.org/a.css"),
        ('<link rel="canonical" href="https://x.org/">', None),
    ],
)
def test_faults_of_a_built_site_are_seen(addition, fault, tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.png").touch()
    (tmp_path / "index.html").write_text(HOME, encoding="utf-8")
    (tmp_path / "sub" / "page.html").write_text(PAGE + addition, encoding="utf-8")
    check = runpy.run_path(str(DOCS / "check_site.py"))
    found = list(check["faults"](tmp_path))
    assert len(found) == (fault is not None)
    assert all(fault in each for each in found)
    with pytest.raises(SystemExit) as left:
        check["main"](str(tmp_path))
    assert bool(left.value.code) == bool(found)


def test_a_site_that_was_not_built_is_said_to_be(tmp_path):
    with pytest.raises(SystemExit, match="python -m sphinx"):
        runpy.run_path(str(DOCS / "check_site.py"))["main"](str(tmp_path))

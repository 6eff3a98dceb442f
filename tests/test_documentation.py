"""What is written agrees with what is there: docstrings, the pages of docs/ and the README."""

import ast
import doctest
import importlib
import inspect
import pkgutil
import re
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import skscale
from skscale import statistics
from skscale.normalization import functional

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").rglob("*.md"))]
GUIDE = [page for page in PAGES if page.parent.name == "guide" and page.stem != "index"]
API = "\n".join(
    page.read_text(encoding="utf-8") for page in sorted((ROOT / "docs" / "api").glob("*.md"))
)
MODULES = {
    name: importlib.import_module(name)
    for name in ["skscale", *(m.name for m in pkgutil.walk_packages(skscale.__path__, "skscale."))]
    if "._" not in name
}

TRANSFORMERS = [
    kind for name in skscale.__all__ if isinstance(kind := getattr(skscale, name), type)
]
STATISTICS = [
    kind
    for name in statistics.__all__
    if hasattr(kind := getattr(statistics, name), "__match_args__")
]

FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
HEADING = re.compile(r"^(?P<title>\S[^\n]*)\n-+$", re.MULTILINE)
ENTRY = re.compile(r"^(?P<names>\w+(?:, \w+)*) : (?P<type>.*?)(?:, default=(?P<default>.*))?$")


def section(thing, title):
    """The lines of one numpydoc section; none if it is not there."""
    text = inspect.getdoc(thing) or ""
    headings = list(HEADING.finditer(text))
    for heading, following in zip(headings, [*headings[1:], None], strict=True):
        if heading["title"] == title:
            return text[heading.end() : following and following.start()].strip().splitlines()
    return []


def entries(thing, title):
    """The entries of a section: name -> (type, default, meaning); default is text or None."""
    found, names = {}, []
    for line in section(thing, title):
        if line and not line.startswith(" "):
            match = ENTRY.match(line)
            assert match, f"{thing.__qualname__}: not numpydoc: {line!r}"
            names = match["names"].split(", ")
            found |= dict.fromkeys(names, (match["type"], match["default"], ""))
        else:
            for name in names:
                *start, meaning = found[name]
                found[name] = (*start, f"{meaning} {line.strip()}".strip())
    return found


def wrong_defaults(function, documented):
    """Parameters whose documented default is not that of the signature."""
    parameters = inspect.signature(function).parameters
    for name, (kind, default, _) in documented.items():
        actual = parameters[name].default if name in parameters else "no such parameter"
        if kind == "None":  # accepted and ignored, for pipelines
            default = "None"
        required = actual is inspect.Parameter.empty
        if (default is None) != required or (
            default is not None and repr(ast.literal_eval(default)) != repr(actual)
        ):
            yield f"{function.__qualname__}: {name}={actual!r}, documented {default}"


def undocumented(function, documented):
    """Parameters of a signature that the docstring does not list in the same order."""
    names = [name for name in inspect.signature(function).parameters if name != "self"]
    return names if names != list(documented) else []


def methods(cls):
    """Public methods that the package itself defines."""
    for name, method in inspect.getmembers(cls, inspect.isfunction):
        if not name.startswith("_") and method.__module__.startswith("skscale"):
            yield method


def fitted(cls):
    """An instance that has learned from a small frame."""
    pandas = pytest.importorskip("pandas", reason="names of columns need a frame")
    rows = np.random.default_rng(0).normal(size=(20, 3))
    return cls().fit(pandas.DataFrame(rows, columns=["a", "b", "c"]), np.arange(20) % 2)


def attribute_faults(model, documented):
    """Attributes documented and not there, or there and not documented."""
    learned = {name for name in vars(model) if name.endswith("_") and not name.startswith("_")}
    return [
        *(f"{name} is not there" for name in documented if not hasattr(model, name)),
        *(f"{name} is not documented" for name in sorted(learned - set(documented))),
    ]


def explained(text):
    """Words of the headings of a page and of its first paragraph."""
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return set(re.findall(r"\w+", " ".join([*headings, text.split("\n\n")[1]])))


def code_blocks(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def run_page(text, name):
    """Run the Python blocks of a page in order, as one module; return how many ran."""
    module = ModuleType(name)
    namespace = vars(module)
    runner = doctest.DocTestRunner(verbose=False, optionflags=FLAGS)
    blocks = code_blocks(text, "python")
    sys.modules[name] = module  # so that its classes can be pickled
    try:
        for block in blocks:
            if ">>>" in block:
                assert block.endswith("\n\n"), "doctest needs a blank line before the closing fence"
                test = doctest.DocTestParser().get_doctest(block, namespace, name, name, 0)
                report = []
                runner.run(test, out=report.append, clear_globs=False)
                assert not report, "".join(report)
                namespace.update(test.globs)
            else:
                exec(compile(block, name, "exec"), namespace)
    finally:
        del sys.modules[name]
    return len(blocks)


def anchor(heading):
    """The anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def source_of(path):
    """What a page is made from: those of the gallery and of the API are made by the build."""
    if path.parent == ROOT / "docs" / "gallery" and path.suffix == ".rst":
        return ROOT / "examples" / "gallery" / f"{path.stem}.py"
    if path.parent == ROOT / "docs" / "api" / "generated" and path.stem in api_entries(API):
        return ROOT / "docs" / "api" / "index.md"
    return path


def broken_links(text, folder):
    """Relative links of a page in `folder` that lead nowhere, and others that are not https."""
    for target in re.findall(r"\]\(([^)]+)\)", text):
        if "://" in target:
            if not re.fullmatch(r"https://[\w.-]+\.\w+(/[^\s<>]*)?", target):
                yield target
            continue
        file, _, fragment = target.partition("#")
        path = source_of((folder / file).resolve())
        if not path.exists():
            yield target
        elif fragment and file:
            headings = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
            if fragment not in map(anchor, headings):
                yield target


TOCTREE = re.compile(r"^```\{toctree\}\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SUMMARY = re.compile(r"^\.\. currentmodule:: (\S+)\n\.\. autosummary::\n(.*?)^```$", re.M | re.S)


def reachable(page):
    """A page of docs/, and those that are below it in a table of contents."""
    yield page
    for contents in TOCTREE.findall(page.read_text(encoding="utf-8")):
        for line in contents.splitlines():
            name = re.sub(r".*<(.*)>", r"\1", line)  # "Title <name>"
            if name and not name.startswith(":"):
                for below in sorted(page.parent.glob(f"{name}.md")):
                    yield from reachable(below)


def api_entries(text):
    """Full names of what the pages of the API list, in order."""
    return [
        f"{module}.{name.strip()}"
        for module, names in SUMMARY.findall(text)
        for name in names.splitlines()
        if name.strip() and ":" not in name
    ]


def unlisted(modules, entries):
    """Public names of modules that no entry is the page of, and entries that are one too many."""
    listed = {}
    for entry in entries:
        module, _, name = entry.rpartition(".")
        thing = id(getattr(modules[module], name))
        if thing in listed:
            yield f"{entry} is {listed[thing]}"
        listed[thing] = entry
    for module in modules.values():
        for name in module.__all__:
            if id(getattr(module, name)) not in listed:
                yield f"{module.__name__}.{name} has no entry"


# Docstrings -------------------------------------------------------------------------------


@pytest.mark.parametrize("cls", TRANSFORMERS)
def test_constructor_is_documented(cls):
    documented = entries(cls, "Parameters")
    assert undocumented(cls, documented) == []
    assert list(wrong_defaults(cls, documented)) == []


@pytest.mark.parametrize("cls", TRANSFORMERS)
def test_methods_are_documented(cls):
    for method in methods(cls):
        documented = entries(method, "Parameters")
        assert undocumented(method, documented) == [], method
        assert list(wrong_defaults(method, documented)) == []
        assert section(method, "Returns"), method


@pytest.mark.parametrize("cls", TRANSFORMERS)
def test_fitted_attributes_are_documented(cls):
    assert attribute_faults(fitted(cls), entries(cls, "Attributes")) == []


@pytest.mark.parametrize("name", functional.__all__)
def test_functions_are_documented(name):
    function = getattr(functional, name)
    documented = entries(function, "Parameters")
    assert undocumented(function, documented) == []
    assert list(wrong_defaults(function, documented)) == []
    for title in ("Returns", "Raises", "Notes", "References", "Examples"):
        assert section(function, title), title


@pytest.mark.parametrize("cls", STATISTICS)
def test_fields_of_statistics_are_documented(cls):
    assert undocumented(cls, entries(cls, "Parameters")) == []


@pytest.mark.parametrize("cls", [*TRANSFORMERS, *STATISTICS])
def test_there_are_examples(cls):
    assert any(line.startswith(">>>") for line in section(cls, "Examples"))


@pytest.mark.parametrize("cls", TRANSFORMERS)
def test_there_are_notes_and_references(cls):
    assert section(cls, "Notes")
    assert re.search(r"\(\d{4}\)", " ".join(section(cls, "References")))


def example(size=2, *, mode="fast"):
    """Do a thing.

    Parameters
    ----------
    size : int, default=2
        How large,
        or small.
    mode : {"fast", "slow"}, default="fast"
        How.

    Returns
    -------
    thing : object
    """


def changed(name, old, new):
    """Entries of `example` with one replaced in the docstring."""
    copy = type("example", (), {"__doc__": inspect.getdoc(example).replace(old, new)})
    return entries(copy, name)


def test_wrong_docstrings_are_seen():
    documented = entries(example, "Parameters")
    assert documented["size"] == ("int", "2", "How large, or small.")
    assert undocumented(example, documented) == list(wrong_defaults(example, documented)) == []
    for old, new in [
        ("=2", "=3"),
        (", default=2", ""),
        ('="fast"', '="slow"'),
        ("size :", "length :"),
        ("=2", "=True"),
    ]:
        faults = list(wrong_defaults(example, changed("Parameters", old, new)))
        assert len(faults) == 1, new
    assert undocumented(example, changed("Parameters", "size :", "length :"))
    assert undocumented(example, {})
    with pytest.raises(AssertionError, match="not numpydoc"):
        changed("Parameters", "size : int", "size is int")


def test_wrong_attributes_are_seen():
    model = fitted(skscale.StandardScaler)
    documented = entries(skscale.StandardScaler, "Attributes")
    assert attribute_faults(model, {**documented, "median_": ()}) == ["median_ is not there"]
    del documented["var_"]
    assert attribute_faults(model, documented) == ["var_ is not documented"]


# Pages ------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_code_on_the_page_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # pages write files
    text = page.read_text(encoding="utf-8")
    ran = run_page(text, f"page_{page.stem}")
    assert (
        ran
        or page.parent.name in ("api", "decisions")
        or page.stem in ("benchmarks", "changelog", "index")
    )


@pytest.mark.parametrize(
    ("block", "error"),
    [
        (">>> 1 + 1\n3\n\n", AssertionError),
        (">>> 1 + 1\n2\n", AssertionError),
        (">>> undefined\n\n", AssertionError),
        ("assert 1 + 1 == 3\n", AssertionError),
        ("import nothing_of_this_name\n", ImportError),
    ],
)
def test_code_that_fails_is_seen(block, error):
    with pytest.raises(error):
        run_page(f"Text\n\n```python\n{block}```\n", "page")


def test_blocks_share_a_namespace():
    text = (
        "```python\nx = 1\n```\n\n```python\n>>> y = x + 1\n\n```\n```python\nassert y == 2\n```\n"
    )
    assert run_page(text, "page") == 3


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_somewhere(page):
    assert list(broken_links(page.read_text(encoding="utf-8"), page.parent)) == []


def test_broken_links_are_seen():
    fine = "[a](README.md) [b](README.md#limits) [c](https://x.org/a?b#c)"
    site = "[a](docs/gallery/plot_why_scale.rst) [b](docs/api/generated/skscale.PCA.rst)"
    assert list(broken_links(f"{fine} {site}", ROOT)) == []
    broken = [
        "nothing.md",
        "README.md#no-law",
        "docs/gallery/plot_nothing.rst",
        "docs/api/generated/skscale.Nothing.rst",
        "http://x.org",
        "https://x.org/a b",
        "https://x",
    ]
    assert list(broken_links(" ".join(f"[a]({target})" for target in broken), ROOT)) == broken


def test_every_page_is_in_a_table_of_contents():
    found = list(reachable(ROOT / "docs" / "index.md"))
    assert sorted(found) == sorted(set(PAGES) - {README})


def test_every_public_name_has_a_page():
    assert list(unlisted(MODULES, api_entries(API))) == []


def test_a_name_without_a_page_is_seen():
    entries = api_entries(API)
    assert len(entries) > 80
    without = [entry for entry in entries if entry != "skscale.PCA"]
    missing = ["skscale.PCA has no entry", "skscale.decomposition.PCA has no entry"]
    assert list(unlisted(MODULES, without)) == missing
    twice = [*entries, "skscale.decomposition.PCA"]
    assert list(unlisted(MODULES, twice)) == ["skscale.decomposition.PCA is skscale.PCA"]


def test_contributing_is_short():
    page = ROOT / "docs" / "contributing.md"
    assert len(page.read_text(encoding="utf-8").splitlines()) < 60


def test_every_class_is_explained_in_the_guide():
    unexplained = {kind.__name__ for kind in TRANSFORMERS}
    for page in GUIDE:
        unexplained -= explained(page.read_text(encoding="utf-8"))
    assert unexplained == set()


def test_a_mention_explains_nothing():
    page = (
        "# Scales\n\n`StandardScaler`.\n\n| `MinMaxScaler` |\n\n## PCA: axes\n\nSee `Whitener`.\n"
    )
    assert explained(page) == {"Scales", "StandardScaler", "PCA", "axes"}


def test_decisions_are_numbered_and_short():
    pages = [page for page in PAGES if page.parent.name == "decisions" and page.stem != "index"]
    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert len(text.splitlines()) < 40, page
        assert {"## Decision", "## Rejected", "## Why"} <= set(text.splitlines()), page


# README -----------------------------------------------------------------------------------


def set_up(text):
    """The first two sh blocks: what installs and runs, what installs and tests."""
    run, test, *_ = code_blocks(text, "sh")
    return run.strip(), test.strip()


def test_set_up_names_what_exists():
    run, test = set_up(README.read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for command in (run, test):
        extras = re.search(r'^(?:python -m )?pip install (?:-e )?"\.\[([\w,]+)\]" && ', command)
        assert extras, command
        assert set(extras[1].split(",")) <= set(project["optional-dependencies"])
    scripts = re.findall(r"[\w/]+\.py", run)
    assert scripts
    assert all((ROOT / script).is_file() for script in scripts)
    assert "python -m pytest" in test


def test_missing_set_up_is_seen():
    with pytest.raises(ValueError, match="not enough values"):
        set_up("```sh\nls\n```\n\n```python\nx = 1\n```\n")

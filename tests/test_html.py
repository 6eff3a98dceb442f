"""What notebooks show: scikit-learn's diagrams with our links and captions, and our own tables."""

import copy
import functools
import importlib
import inspect
import tomllib
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import sklearn
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.fixes import parse_version

import skscale
from skscale import MinMaxScaler, StandardScaler
from skscale import _kernels as kernels
from skscale import _linalg as linalg
from skscale._diagrams import API_PAGE, DOCUMENTATION
from skscale.leakage import freeze
from skscale.model_selection import GridSearchCV, RandomizedSearchCV, cross_fit

ROOT = Path(__file__).parents[1]
# Before 1.9, scikit-learn's tables have no links, its diagram of a fitted ColumnTransformer is that
# of transformers that are not fitted, and an element that it never closes is in some diagrams.
HAS_TABLES = parse_version(sklearn.__version__) >= parse_version("1.9")
TRANSFORMERS = [
    kind for name in skscale.__all__ if isinstance(kind := getattr(skscale, name), type)
]
X = np.random.default_rng(0).normal(size=(40, 4))
Y = np.arange(40) % 2
SEEN = {
    kind: "for 4 columns, learned from no rows"
    if kind.__name__ in ("GroupNormalizer", "LayerNormalizer", "RMSNormalizer")
    else "learned from 40 rows x 4 columns"
    for kind in TRANSFORMERS
}


@functools.cache
def fitted(kind):
    return kind().fit(X, Y)


class Page(HTMLParser):
    """Elements, links and text of a page; `strict`: elements are closed where they should be."""

    def __init__(self, text, strict=True):
        super().__init__()
        self.strict = strict
        self.open, self.tags, self.classes, self.links, self.texts = [], [], [], {}, {}
        self.feed(text)
        self.close()
        assert self.open == [] or not strict

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.tags.append(tag)
        self.classes.append(attributes.get("class"))
        if tag not in ("input", "br"):
            self.open.append((tag, attributes.get("class") or ""))
        if "href" in attributes:
            self.links.setdefault(attributes["class"].split()[0], []).append(attributes["href"])

    def handle_startendtag(self, tag, attributes):
        self.tags.append(tag)

    def handle_endtag(self, tag):
        while self.open.pop()[0] != tag:
            assert not self.strict, f"{tag} is closed too early"

    def handle_data(self, data):
        if data.strip():
            self.texts.setdefault(self.open[-1] if self.open else None, []).append(data.strip())

    def of_class(self, name):
        """Texts of the elements of a class."""
        found = self.texts.items()
        return [text for (_, its), texts in found if name in its.split() for text in texts]


def page(thing):
    return Page(thing._repr_html_(), strict=HAS_TABLES)


def test_a_page_that_is_not_balanced_is_seen():
    for text in ("<div>", "<div><p></div></p>", "<table><tr></table>"):
        with pytest.raises(AssertionError):
            Page(text)


@pytest.mark.parametrize("kind", TRANSFORMERS)
def test_diagram(kind):
    before, after = page(kind()), page(fitted(kind))
    assert "Not fitted" in before.texts[("span", "")]
    assert before.of_class("caption") == []
    assert {"Fitted"} <= set(after.texts[("span", "")])
    assert after.of_class("caption") == [SEEN[kind]]
    for shown in (before, after):
        assert shown.links["sk-estimator-doc-link"] == [API_PAGE.format(name=public_name(kind))]


def public_name(kind):
    """The shortest dotted name, without an underscore, that leads to a class."""
    parts = kind.__module__.split(".")
    for i in range(1, len(parts)):
        module = importlib.import_module(".".join(parts[:i]))
        if kind.__name__ in getattr(module, "__all__", ()):
            return f"{module.__name__}.{kind.__name__}"
    raise AssertionError(f"{kind} is not public")


@pytest.mark.parametrize("kind", [GridSearchCV, RandomizedSearchCV])
def test_searches(kind):
    options = {"n_iter": 1} if kind is RandomizedSearchCV else {}
    search = kind(make_pipeline(StandardScaler(), Ridge()), {}, cv=2, **options)
    own = API_PAGE.format(name=f"skscale.model_selection.{kind.__name__}")
    assert page(search).links["sk-estimator-doc-link"][0] == own
    assert page(search.fit(X, Y)).of_class("caption") == [SEEN[StandardScaler]]


def test_a_class_of_others_has_no_link():
    class Mine(skscale._base.TableTransformer):
        def fit(self, X, y=None):
            return self

        def _apply(self):
            raise NotImplementedError

    shown = page(Mine())
    assert "sk-estimator-doc-link" not in shown.links
    assert "Not fitted" in shown.texts[("span", "")]


@pytest.mark.parametrize("kind", TRANSFORMERS)
def test_tables_say_what_everything_means(kind):
    """Each parameter and attribute has a link and a tooltip, which come from the docstring."""
    shown = page(fitted(kind))
    links = shown.links.get("param-doc-link", [])
    if HAS_TABLES:
        assert len(links) == shown.classes.count("param") >= len(kind().get_params()) + 2
    own = f"{API_PAGE.format(name=public_name(kind))}#:~:text="
    assert all(link.startswith(own) for link in links)


def test_pipeline_and_columns():
    pandas = pytest.importorskip("pandas", reason="names of columns need a frame")
    frame = pandas.DataFrame(X, columns=list("abcd"))
    pipeline = make_pipeline(*(kind() for kind in TRANSFORMERS if "Supervised" not in str(kind)))
    assert page(pipeline).of_class("caption") == []
    pipeline.fit(frame)
    assert page(pipeline).of_class("caption") == [SEEN[type(step)] for _, step in pipeline.steps]
    links = page(pipeline).links["sk-estimator-doc-link"]
    assert [link for link in links if link.startswith(DOCUMENTATION)] == [
        API_PAGE.format(name=public_name(type(step))) for _, step in pipeline.steps
    ]
    columns = ColumnTransformer(
        [("z", StandardScaler(), ["a", "b"]), ("one", MinMaxScaler(), ["c"])],
    ).fit(frame)
    captions = ["learned from 40 rows x 2 columns", "learned from 40 rows x 1 column"]
    assert page(columns).of_class("caption") == (captions if HAS_TABLES else [])


def test_weights_are_counted_as_rows():
    scaler = StandardScaler().fit(X, sample_weight=np.full(40, 0.3125))
    assert page(scaler).of_class("caption") == ["learned from 12.5 rows x 4 columns"]


def test_hostile_names_and_values_are_escaped():
    pandas = pytest.importorskip("pandas", reason="names of columns need a frame")
    hostile = '</pre><img src=x onerror="alert(1)"><b>'
    frame = pandas.DataFrame(X, columns=[hostile, "<script>alert(1)</script>", "&lt;", "d"])
    scaler = StandardScaler(copy=hostile)
    group = skscale.GroupNormalizer({hostile: [hostile, "d"], "rest": list(frame.columns[1:3])})
    clean = page(StandardScaler())
    for thing in (
        scaler,
        StandardScaler().fit(frame),
        group.fit(frame),
        make_pipeline(scaler),
        ColumnTransformer([(hostile, StandardScaler(), list(frame.columns[:2]))]).fit(frame),
        freeze(StandardScaler().fit(frame)),
        cross_fit(make_pipeline(FunctionTransformer(kw_args={"<b>": hostile})), frame, cv=2),
    ):
        shown = page(thing)
        assert shown.tags.count("script") <= clean.tags.count("script")
        assert not {"img", "b"} & set(shown.tags) - set(clean.tags)


def test_text_is_shown_where_it_is_asked_for():
    scaler = StandardScaler().fit(X)
    for thing in (scaler, freeze(scaler), make_pipeline(scaler)):
        assert hasattr(thing, "_repr_html_")
        with sklearn.config_context(display="text"):
            assert not hasattr(thing, "_repr_html_")
    with sklearn.config_context(display="text"):
        bundle = scaler._repr_mimebundle_()
    assert bundle == {"text/plain": "StandardScaler() <learned from 40 rows x 4 columns>"}


def refuse(*args, **kwargs):
    raise AssertionError("something is computed")


def untouchable(statistic):
    """What is like a statistic, but only says what it is of."""
    names = [name for name in dir(statistic) if not name.startswith("__")]
    counts = {"total": statistic.total, "n_features": statistic.n_features}
    return type("Untouchable", (), dict.fromkeys(names, property(refuse)) | counts)()


@pytest.mark.parametrize("kind", TRANSFORMERS)
def test_nothing_is_computed(kind, monkeypatch):
    model = copy.deepcopy(fitted(kind))
    if hasattr(model, "statistic_"):
        model.statistic_ = untouchable(model.statistic_)
    for module in (kernels, linalg, np.linalg):
        for name, function in vars(module).items():
            if inspect.isroutine(function) and not name.startswith("_"):
                monkeypatch.setattr(module, name, refuse)
    monkeypatch.setattr(kind, "_apply", refuse)
    for thing in (model, make_pipeline(model), freeze(model)):
        assert repr(thing)
        # scikit-learn catches what is raised while a block is made, and leaves the caption out.
        assert page(thing).of_class("caption") == [SEEN[kind]]
    assert page(kind()).classes


def test_a_computation_is_seen(monkeypatch):
    scaler = StandardScaler().fit(X)
    scaler.statistic_ = untouchable(scaler.statistic_)
    monkeypatch.setattr(StandardScaler, "_learned", lambda self: str(self.statistic_.mean))
    with pytest.raises(AssertionError, match="computed"):
        repr(scaler)


def test_frozen():
    shown = page(freeze(StandardScaler().fit(X)))
    assert shown.of_class("caption") == [SEEN[StandardScaler]]
    assert "Not fitted" not in shown.texts[("span", "")]


def test_folds():
    folds = cross_fit(StandardScaler(), X, cv=4)
    shown = page(folds)
    assert shown.texts[("strong", "")] == [repr(folds)[1:-1]]
    learned = "StandardScaler() <learned from 30 rows x 4 columns>"
    cells = np.array(shown.texts[("td", "")]).reshape(4, 4)
    assert cells.tolist() == [[str(k), "30", "10", learned] for k in range(4)]
    many = page(cross_fit(StandardScaler(), X, cv=12))
    assert many.tags.count("tr") == 11
    assert many.texts[("p", "")] == ["and 2 more"]


def test_the_documentation_is_where_the_package_says():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["urls"]["Documentation"] == DOCUMENTATION

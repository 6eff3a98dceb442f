"""The house: which way imports point, who may name which library, what is public, what is long.

Every rule is a function of source text that returns what breaks it, so that the tests below can
also show it a wrong source and see it object.
"""

import ast
import importlib
import inspect
import pkgutil
from pathlib import Path

import pytest

import skscale

ROOT = Path(skscale.__file__).parent
SOURCES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in sorted(ROOT.rglob("*.py"))
}

# Imports point up this list. Names on one line do not import each other.
FLOORS = (
    {"errors"},
    {"_kernels"},
    {"statistics", "_linalg", "_tables", "_parameters", "_callbacks", "_splits", "_words"},
    {"_blas", "_threads", "_diagrams"},
    {"_reduce"},
    {"_admission", "_jobs"},
    {"_blocks", "_opening", "_provenance"},
    {"_learning"},
    {"_lazy"},
    {"_base", "_several"},
    {"_chains"},
    {"_carrying"},
    {"scaling", "decomposition", "normalization"},
    {"leakage"},
    {"model_selection", "streaming", "testing", "_versions"},
    {"inspection"},
    {"__init__"},
)
LEVEL = {part: level for level, parts in enumerate(FLOORS) for part in parts}

TABLE_LIBRARIES = {"pandas", "polars", "pyarrow", "dask", "narwhals"}
KNOWS_TABLES = {
    "_tables": TABLE_LIBRARIES,
    "_reduce": {"dask"},  # an engine too
    "leakage": {"pandas"},  # what a report becomes
    "testing": {"pandas", "polars"},  # the values of `set_output`, which a law tries
    "_versions": TABLE_LIBRARIES,  # by name, to print which are installed
}
FROM_SKLEARN_BASE = {
    "ClassNamePrefixFeaturesOutMixin",
    "OneToOneFeatureMixin",
    "clone",
    "is_classifier",
}
"""What files other than `_base.py` may take from `sklearn.base`: no class with state of its own."""

TEMPLATES = {
    "TableTransformer",
    "InvertibleTransformer",
    "StatisticTransformer",
    "RowwiseNormalizer",
}
"""What transformers derive from."""

PUBLIC = {
    "skscale": [
        "BatchNormalizer",
        "GroupNormalizer",
        "LayerNormalizer",
        "MinMaxScaler",
        "PCA",
        "RMSNormalizer",
        "StandardScaler",
        "SupervisedBatchNormalizer",
        "Whitener",
        "show_versions",
        "thread_limit",
    ],
    "skscale.decomposition": ["PCA", "Whitener"],
    "skscale.errors": [
        "AllMissingWarning",
        "CheckpointError",
        "ConditionError",
        "FrozenTransformerError",
        "HeldOutRowsError",
        "IncompatibleStatisticError",
        "InfiniteValueError",
        "InvalidParameterError",
        "LeakageError",
        "MissingDependencyError",
        "MissingValueError",
        "MutatedInputError",
        "NonNumericColumnError",
        "NothingRememberedError",
        "NothingShownWarning",
        "ResponseError",
        "SampleWeightError",
        "SchemaError",
        "SinkError",
        "SourceError",
        "SplitError",
        "StatisticBytesError",
        "TargetError",
        "TooWideError",
    ],
    "skscale.inspection": [
        "GammaDisplay",
        "LeakageDisplay",
        "ScalingDisplay",
        "SpectrumDisplay",
        "WhiteningDisplay",
    ],
    "skscale.leakage": [
        "LeakageGuard",
        "assert_train_only",
        "audit",
        "check_prescaled",
        "check_split",
        "freeze",
        "remember_rows",
        "seen_in_fit",
        "unfreeze",
        "verify_fit",
    ],
    "skscale.model_selection": [
        "GridSearchCV",
        "LeakageReport",
        "RandomizedSearchCV",
        "ScoreGap",
        "cross_fit",
        "cross_validate",
    ],
    "skscale.normalization": [
        "BatchNormalizer",
        "GroupNormalizer",
        "LayerNormalizer",
        "RMSNormalizer",
        "SupervisedBatchNormalizer",
    ],
    "skscale.normalization.functional": [
        "batch_norm",
        "batch_norm_backward",
        "batch_renorm",
        "batch_renorm_backward",
        "group_norm",
        "group_norm_backward",
        "instance_norm",
        "instance_norm_backward",
        "layer_norm",
        "layer_norm_backward",
        "rms_norm",
        "rms_norm_backward",
        "weight_norm",
        "weight_norm_backward",
    ],
    "skscale.scaling": ["MinMaxScaler", "StandardScaler"],
    "skscale.statistics": [
        "Extrema",
        "Moments",
        "PooledBatches",
        "RadialScatter",
        "RowSketch",
        "RunningMoments",
        "Scatter",
        "Statistic",
        "Triangle",
        "from_bytes",
    ],
    "skscale.streaming": ["fit_blocks", "transform_blocks"],
    "skscale.testing": [
        "STATISTIC_LAWS",
        "TRANSFORMER_LAWS",
        "check_statistic",
        "check_transformer",
    ],
}

LONGEST = 300
"""Lines of a file, docstrings not counted."""


def part_of(file):
    """The part of the house a file belongs to: "scaling" for "scaling/_minmax.py"."""
    return file.split("/")[0].removesuffix(".py")


def imports(source, *, deep=True):
    """Every dotted name that is imported: "skscale._tables.read". Not `deep`: at import time."""

    def walk(node):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            yield from (f"{module}.{alias.name}" for alias in node.names)
        if deep or not isinstance(node, ast.FunctionDef):
            for child in ast.iter_child_nodes(node):
                yield from walk(child)

    return walk(ast.parse(source))


def docstrings(tree):
    """The nodes that are docstrings."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and node.body:
            first = node.body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                yield first.value


def wrong_direction(file, source):
    """Imports within the package that do not point down."""
    here = part_of(file)
    if here not in LEVEL:
        return [f"{file} has no place in the house"]
    wrong = []
    for name in imports(source):
        if name.startswith("."):
            wrong.append(f"{file} imports {name}, which hides the direction")
        elif name.split(".")[0] == "skscale":
            there = [*name.split("."), "__init__"][1]
            there = there if there in LEVEL else "__init__"
            if there != here and LEVEL[there] >= LEVEL[here]:
                wrong.append(f"{file} imports {name}")
    return wrong


def foreign_names(file, source):
    """Names of table libraries, in imports or in strings, where they are not to be known."""
    forbidden = TABLE_LIBRARIES - KNOWS_TABLES.get(part_of(file), set())
    tree = ast.parse(source)
    skipped = set(docstrings(tree))
    strings = {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in skipped
    }
    return [
        f"{file} names {name}"
        for name in sorted({*imports(source), *strings})
        if name.split(".")[0] in forbidden
    ]


def early_tables(file, source):
    """Table libraries imported as soon as the package is; narwhals itself imports none."""
    early = {name.split(".")[0] for name in imports(source, deep=False)}
    return [f"{file} imports {name} at once" for name in early & TABLE_LIBRARIES - {"narwhals"}]


def sklearn_names(file, source):
    """Private names of scikit-learn, and its base classes outside `_base`."""
    wrong = []
    for name in imports(source):
        path = name.split(".")
        if path[0] != "sklearn":
            continue
        if any(part.startswith("_") for part in path):
            wrong.append(f"{file} imports {name}, which is private")
        if path[1:2] == ["base"] and file != "_base.py" and path[-1] not in FROM_SKLEARN_BASE:
            wrong.append(f"{file} imports {name}")
    return wrong


def broken_inheritance(sources):
    """Transformers that are neither abstract nor final, and classes derived from concrete ones."""
    classes = {
        node.name: node
        for source in sources.values()
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ClassDef)
    }
    bases = {
        name: {ast.unparse(base).split("[")[0].split(".")[-1] for base in node.bases}
        for name, node in classes.items()
    }
    abstract = {name for name in bases if bases[name] & {"ABC", "Protocol"}}
    final = {
        name
        for name, node in classes.items()
        if any(ast.unparse(mark).split(".")[-1] == "final" for mark in node.decorator_list)
    }
    for name, its in bases.items():
        yield from (
            f"{name} derives from {base}, which is not abstract"
            for base in sorted(its & set(classes) - abstract)
        )
        if its & TEMPLATES and name not in abstract | final:
            yield f"{name} is neither abstract nor @final"


def length(source):
    """Lines, docstrings not counted."""
    silent = (node.end_lineno - node.lineno + 1 for node in docstrings(ast.parse(source)))
    return len(source.splitlines()) - sum(silent)


def tidy(names):
    """Names in the order that ruff keeps: constants, classes, functions."""
    return sorted(names, key=lambda name: (not name.isupper(), name[0].islower(), name))


@pytest.mark.parametrize("rule", [wrong_direction, foreign_names, early_tables, sklearn_names])
def test_every_file_keeps_the_rule(rule):
    assert len(SOURCES) > 25
    assert [fault for file, source in SOURCES.items() for fault in rule(file, source)] == []


@pytest.mark.parametrize(
    ("rule", "file", "source"),
    [
        (wrong_direction, "_kernels/_affine.py", "from skscale.statistics import Moments"),
        (wrong_direction, "statistics/_moments.py", "from skscale import _linalg as linalg"),
        (wrong_direction, "scaling/_minmax.py", "from skscale.decomposition import PCA"),
        (wrong_direction, "scaling/_minmax.py", "from skscale import PCA"),
        (wrong_direction, "scaling/_minmax.py", "import skscale"),
        (wrong_direction, "scaling/_minmax.py", "from ..decomposition import PCA"),
        (wrong_direction, "_base.py", "def f():\n    import skscale.testing"),
        (wrong_direction, "_shed.py", "import numpy"),
        (foreign_names, "_base.py", "def f():\n    import pandas as pd"),
        (foreign_names, "_base.py", "from polars import DataFrame"),
        (foreign_names, "_base.py", "import sys\npandas = sys.modules.get('pandas')"),
        (foreign_names, "_base.py", "importlib.import_module('pyarrow.parquet')"),
        (foreign_names, "_reduce.py", "import narwhals.stable.v1 as narwhals"),
        (foreign_names, "testing/_laws.py", "import pandas\nimport pyarrow"),
        (early_tables, "_tables.py", "import pandas"),
        (early_tables, "_tables.py", "if True:\n    from polars import DataFrame"),
        (sklearn_names, "_tables.py", "from sklearn.utils._set_output import _wrap"),
        (sklearn_names, "scaling/_minmax.py", "from sklearn.base import BaseEstimator"),
        (sklearn_names, "scaling/_minmax.py", "import sklearn.base"),
    ],
)
def test_the_rule_objects(rule, file, source):
    assert len(rule(file, source)) == 1


@pytest.mark.parametrize(
    ("rule", "file", "source"),
    [
        (wrong_direction, "scaling/_minmax.py", "from skscale.scaling import _parts"),
        (foreign_names, "_base.py", '"""pandas"""\nX = "pandas and polars"'),
        (foreign_names, "_tables.py", "import narwhals.stable.v1 as narwhals"),
        (foreign_names, "_reduce.py", "def f():\n    from dask import delayed"),
        (early_tables, "_tables.py", "def f():\n    import pandas"),
        (sklearn_names, "scaling/_minmax.py", "from sklearn.base import OneToOneFeatureMixin"),
    ],
)
def test_the_rule_allows(rule, file, source):
    assert rule(file, source) == []


def test_a_class_is_abstract_or_final():
    assert list(broken_inheritance(SOURCES)) == []


@pytest.mark.parametrize(
    "source",
    [
        "class Scaler(StatisticTransformer): pass",
        "class Normalizer(TableTransformer): pass",
        "class Normalizer(RowwiseNormalizer): pass",
        "class A: pass\nclass B(A): pass",
        "@final\nclass A(StatisticTransformer): pass\n@final\nclass B(A): pass",
    ],
)
def test_a_class_in_between_is_seen(source):
    base = "class StatisticTransformer(ABC): pass\n"
    assert len(list(broken_inheritance({"_base.py": base + source}))) == 1
    assert list(broken_inheritance({"_base.py": base})) == []


def test_files_are_short():
    assert {file for file, source in SOURCES.items() if length(source) >= LONGEST} == set()


def test_length_leaves_docstrings_out():
    assert length('"""One.\n\nThree.\n"""\n\nx = 1\n') == 2


@pytest.mark.parametrize("module", PUBLIC)
def test_public_names(module):
    """What is public is what is listed here, in order, importable and documented."""
    package = importlib.import_module(module)
    assert sorted(package.__all__) == PUBLIC[module]
    assert package.__all__ == tidy(package.__all__)
    for name in package.__all__:
        public = getattr(package, name)
        assert not callable(public) or len(inspect.getdoc(public)) > 20, name


def public_modules():
    """Modules without an underscore anywhere in their names."""
    found = ["skscale", *(m.name for m in pkgutil.walk_packages(skscale.__path__, "skscale."))]
    return [name for name in found if "._" not in name]


def undeclared(package):
    """Public attributes of a module that its __all__ does not list."""
    modules = {name.rpartition(".")[2] for name in public_modules()}
    return [
        name
        for name in vars(package)
        if not name.startswith("_") and name not in {*package.__all__, *modules}
    ]


def test_nothing_else_is_public():
    assert sorted(public_modules()) == sorted(PUBLIC)
    assert [undeclared(importlib.import_module(name)) for name in PUBLIC] == [[]] * len(PUBLIC)


def test_a_name_too_many_is_seen(monkeypatch):
    monkeypatch.setattr(skscale, "helper", len, raising=False)
    assert undeclared(skscale) == ["helper"]


def test_the_order_of_names_is_checked():
    assert tidy(["b", "B", "A1", "AB"]) == ["A1", "AB", "B", "b"]

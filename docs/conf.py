"""How the site is built: ``python -m sphinx -W --keep-going docs docs/_build/html``.

Nothing is fetched, neither by the build (no intersphinx) nor by the pages: the theme brings its own
fonts, and formulas are written as code, so that no page loads a script for mathematics. After a
build, ``python docs/check_site.py`` looks at what came out.
"""

import importlib
import inspect
import re
import sys
import tomllib
import warnings
from pathlib import Path

from sphinx.pycode import ModuleAnalyzer
from sphinx_gallery.sorting import ExplicitOrder

ROOT = Path(__file__).parents[1]

project = "skscale"
author = copyright = "The skscale developers"
release = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build"]
templates_path = ["_templates"]
default_role = "literal"
smartquotes = False  # types and defaults are code: default="zca"

# Links that lead nowhere are warnings, but for those in what scikit-learn wrote.
nitpicky = True
nitpick_ignore_regex = [
    ("py:.*", r"sklearn\..*|classes_|n_features_in_"),
    ("term", "fit"),
]

# Markdown ---------------------------------------------------------------------------------

myst_enable_extensions = ["colon_fence"]  # directives whose text GitHub shows too
myst_heading_anchors = 4

# Docstrings -------------------------------------------------------------------------------

toc_object_entries_show_parents = "hide"
autodoc_typehints = "none"  # the docstrings say more than the annotations
numpydoc_show_class_members = False  # docs/_templates/autosummary/class.rst lists the methods

# Wrong, missing and disordered entries are warnings; these are left to the author: examples and
# references (for which tests ask where they are due), and how a short method is documented.
numpydoc_validation_checks = {
    "all",
    *("ES01", "EX01", "SA01", "SA03", "SA04"),
    *("GL08", "PR01", "PR06", "RT01", "RT02", "RT03", "SS05", "YD01"),
}


def is_own(module, cls, method):
    """Whether a method is written here, rather than inherited from scikit-learn."""
    function = getattr(getattr(importlib.import_module(module), cls), method)
    return inspect.unwrap(function).__module__.startswith("skscale")


autosummary_context = {"is_own": is_own}
suppress_warnings = ["config.cache"]  # that functions in here cannot be pickled

ATTRIBUTE = re.compile(r"(?<=[a-z])_(?=[,)])")


def escape_attributes(app, what, name, obj, options, lines):
    """Keep ``(n_features_in_,)``, in the type of a parameter, from being read as a link."""
    for number, line in enumerate(lines):
        entry, colon, kind = line.partition(" : ")
        if entry.replace(", ", "").isidentifier():
            lines[number] = entry + colon + ATTRIBUTE.sub(r"\_", kind)


def describe_constant(app, what, name, obj, options, lines):
    """Find the string below an assignment, which is lost where the constant is imported from."""
    if what == "data":
        module, _, constant = name.rpartition(".")
        for part in [part for part in sys.modules if part.startswith(f"{module}._")]:
            found = ModuleAnalyzer.for_module(part).find_attr_docs().get(("", constant))
            lines[:] = [*found, *(f"- {key}" for key in obj), ""] if found else lines


def trim_blocks(app, name, source):
    """Leave out the blank line at the end of a block, which only doctest needs."""
    source[0] = source[0].replace("\n\n```\n", "\n```\n")


def setup(app):
    """Run before numpydoc, which moves the types (priority 500)."""
    app.connect("autodoc-process-docstring", escape_attributes, priority=400)
    app.connect("source-read", trim_blocks)
    app.connect("autodoc-process-docstring", describe_constant, priority=400)


# Gallery ----------------------------------------------------------------------------------


def warnings_are_errors(gallery_conf, script, when):
    """Stop at a warning in an example, as the tests do."""
    warnings.simplefilter("error" if when == "before" else "default")


# From what a transformer does, by way of what goes wrong, to tables that are long.
EXAMPLES = [
    "transformers",
    "why_scale",
    "outlier",
    "zca_digits",
    "zca_cor",
    "eigh_svd",
    "latitude_longitude",
    "normalizations",
    "pandas_in_and_out",
    "displays",
    "leakage",
    "ten_folds",
    "larger_than_memory",
    "dask",
]

sphinx_gallery_conf = {
    "examples_dirs": "../examples/gallery",
    "gallery_dirs": "gallery",
    "within_subsection_order": ExplicitOrder([f"plot_{name}.py" for name in EXAMPLES]),
    "backreferences_dir": "api/generated/backreferences",
    "doc_module": ("skscale",),
    "download_all_examples": False,
    "remove_config_comments": True,
    "reset_modules": ("matplotlib", warnings_are_errors),
    "reset_modules_order": "both",
    "show_memory": False,
    "show_signature": False,
    "write_computation_times": False,  # pages that load scripts from other hosts
}

# Pages ------------------------------------------------------------------------------------

html_theme = "pydata_sphinx_theme"
html_title = f"skscale {release}"
html_baseurl = "https://skscale.readthedocs.io/en/stable/"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_favicon = "_static/logo.svg"
html_copy_source = False
html_context = {"default_mode": "auto"}  # light or dark, as the reader's system is
html_theme_options = {
    "logo": {
        "image_light": "_static/logo.svg",
        "image_dark": "_static/logo.svg",
        "text": "skscale",
    },
    "header_links_before_dropdown": 6,
    "secondary_sidebar_items": ["page-toc"],
    "show_toc_level": 2,
}
html_sidebars = {page: [] for page in ("index", "benchmarks", "changelog", "contributing")}

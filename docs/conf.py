"""The documentation site: `make docs` builds it into build/docs."""

import re
from importlib.metadata import version as version_of
from pathlib import Path

DOCS = Path(__file__).resolve().parent

project = "TChannel for Python"
author = "TChannel for Python maintainers"
copyright = "TChannel for Python maintainers"
version = release = version_of("tchannel-core")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
exclude_patterns = ["images/*.md"]
suppress_warnings = [
    "myst.xref_missing",  # links to files of the repository: tests/repo/test_docs.py checks them
    "ref.python",  # one short name may mean the same class in two places
]

# What stands in single quotes in a docstring is a name, or code.
default_role = "py:obj"
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_class_signature = "separated"
autodoc_default_options = {"members": True, "show-inheritance": True}
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True
add_module_names = False
python_use_unqualified_type_names = True

# No font, script or picture of another host: the site works offline, its search too.
html_theme = "furo"
html_title = "TChannel for Python"
html_show_sphinx = False
html_show_copyright = False
html_copy_source = False
html_theme_options = {"navigation_with_keys": False}


def link_into_the_repository(app, name, source):
    """Files beside docs/ are no pages: say where they lie instead of linking to nothing."""
    here = Path(app.env.doc2path(name)).parent

    def place(link):
        target = (here / link[2].partition("#")[0]).resolve()
        if target.is_relative_to(DOCS):
            return link[0]
        path = target.relative_to(DOCS.parent).as_posix()
        return link[1] if link[1].strip("`") == path else f"{link[1]} (`{path}`)"

    source[0] = re.sub(r"\[([^\]]+)\]\(((?:\.\./)+[^)]+)\)", place, source[0])


def tables_of_docstrings(app, what, name, obj, options, lines):
    """A table of a docstring, written with bars, as the tables of the pages are."""
    out, table = [], []
    for line in [*lines, ""]:
        if line.lstrip().startswith("|"):
            table.append([cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip())[1:-1]])
            continue
        if table:
            head, _, *rows = table
            out += ["", ".. list-table::", "   :header-rows: 1", ""]
            for row in (head, *rows):
                out += [f"   {'*' if not n else ' '} - {cell}" for n, cell in enumerate(row)]
            out.append("")
            table = []
        out.append(line)
    lines[:] = out


def setup(app):
    """Tell Sphinx of the two."""
    app.connect("source-read", link_into_the_repository)
    app.connect("autodoc-process-docstring", tables_of_docstrings)

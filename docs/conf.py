"""How Sphinx builds the documentation: the pages of this directory, and the API reference from the docstrings.

python -m sphinx -W --keep-going -b html docs build/docs
"""

import importlib
import re
from pathlib import Path
from typing import Any

from medcls.cli.blocks import as_markdown, blocks
from medcls.utils.lazy import Lazy

project = "medcls"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx.ext.napoleon"]
exclude_patterns = ["cluster"]
myst_heading_anchors = 3  # page.md#heading leads to a heading here as it does on GitHub
smartquotes = False  # they would make one dash of a flag's two
default_role = "py:obj"  # `Study` in a docstring is a link if it names something documented, and code otherwise

autodoc_default_options = {"members": True, "member-order": "bysource"}
autodoc_preserve_defaults = True
autodoc_typehints = "signature"
python_maximum_signature_line_length = 88
python_use_unqualified_type_names = True
autosummary_generate = False
napoleon_numpy_docstring = False
napoleon_custom_sections = [("Attributes", "params_style")]  # a list in the class, like its parameters

html_theme = "pydata_sphinx_theme"
html_title = "medcls"
html_copy_source = False
html_show_sphinx = False
html_theme_options = {
    "navbar_align": "left",
    "navbar_end": ["theme-switcher"],
    "footer_start": [],
    "footer_end": [],
    "show_prev_next": False,
}


BLOCKS = as_markdown(blocks())  # read now, as autodoc changes the defaults of signatures


def name_without_import(package: Lazy, attribute: str) -> Any:
    """Return a class of a heavy package by its name alone, for annotations: importing TensorFlow takes ten seconds.

    Raises:
        AttributeError: what Sphinx asks of everything, such as whether it is a mock.
    """
    if attribute.startswith("_"):
        raise AttributeError(attribute)
    if attribute[0].isupper():
        return type(attribute, (), {"__module__": package._name})
    return Lazy(f"{package._name}.{attribute}")


Lazy.__getattr__ = name_without_import  # type: ignore[method-assign]

ROOT = Path(__file__).parents[1]
TOP = {"README.md": "index.md", "CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}
"""The documents at the top of the repository, and the page that shows each."""


def include_top_documents(_app: Any, docname: str, source: list[str]) -> None:
    """Put a top document at the head of its page, and lead links to it, written for GitHub, to that page.

    Args:
        docname: the page, a path below docs/ without its suffix.
        source: the text of the page, alone in a list, which is changed in place.
    """
    text = source[0]
    for document, page in TOP.items():
        if page == f"{docname}.md":
            links = r"\]\((?!https?:|#)"  # a link to a file, here from another directory
            text = re.sub(links, "](../", (ROOT / document).read_text()).replace("](../docs/", "](") + "\n" + text
    for document, page in TOP.items():
        text = text.replace(f"](../{document}", f"]({page}")
    source[0] = text


def include_blocks(_app: Any, docname: str, source: list[str]) -> None:
    """Append the tables of all building blocks to their page, read from the packages' exports.

    Args:
        docname: the page, a path below docs/ without its suffix.
        source: the text of the page, alone in a list, which is changed in place.
    """
    if docname == "blocks":
        source[0] += f"\n{BLOCKS}"


def list_exports(_app: Any, what: str, name: str, _object: Any, _options: Any, lines: list[str]) -> None:
    """Append a table of the functions and classes that a package exports to its docstring.

    Args:
        what: the kind of thing that the docstring belongs to.
        name: its full name.
        lines: of the docstring, changed in place.
    """
    package = importlib.import_module(name) if what == "module" else None
    exported = getattr(package, "__all__", ())
    if exported:
        lines.extend(["", ".. autosummary::", "   :nosignatures:", ""])
        lines.extend(f"   {export}" for export in exported if callable(getattr(package, export)))
        lines.append("")


def shorten_defaults(*arguments: Any) -> tuple[str | None, str | None]:
    """Return a signature whose defaults Sphinx can parse: names of functions, and `...` for what a call makes."""
    signature, returns = arguments[-2:]
    if signature:
        signature = re.sub(r"<function (?:\w+\.)*(\w+)>", r"\1", signature.replace("<factory>", "..."))
    return signature, returns


def setup(app: Any) -> None:
    """Connect the functions above."""
    app.connect("source-read", include_top_documents)
    app.connect("source-read", include_blocks)
    app.connect("autodoc-process-docstring", list_exports)
    app.connect("autodoc-process-signature", shorten_defaults)

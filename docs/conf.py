"""How Sphinx makes the documentation site: `python -m sphinx -W docs SITE`; nothing in it asks another server."""

from __future__ import annotations

import os
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
sys.path[:0] = [str(ROOT), str(DOCS)]
# the notebook's kernel is a process of its own; its pictures are drawn without a screen
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"

project = "glacier-archive"
author = "the authors of glacier-archive"
version = release = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
language = "en"

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "mathml"]
exclude_patterns = ["adapters"]

myst_enable_extensions = ["dollarmath", "amsmath", "deflist", "colon_fence"]
myst_heading_anchors = 4
# links to scripts and definitions beside the documentation are links to the file, as they are on the repository's pages
myst_links_external_new_tab = False

nb_execution_mode = "auto"
nb_execution_timeout = 600
nb_execution_raise_on_error = True
nb_execution_show_tb = True
nb_merge_streams = True

autodoc_typehints = "signature"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
napoleon_google_docstring = False
napoleon_use_rtype = False

html_theme = "furo"
html_title = f"glacier-archive {version}"
html_math_renderer = "mathml"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_show_copyright = False
html_copy_source = False
html_last_updated_fmt = None


def plain_text(_app: Any, _what: str, _name: str, _obj: Any, _options: Any, lines: list[str]) -> None:
    """Docstrings are plain text: bars and stars mean themselves, and `name : meaning` in a section is no type."""
    section = ""
    written: list[str] = []
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        if following and not following.strip("-"):
            section = line
            written.append("Raises" if line == "Errors" else line)
        elif section and (found := re.match(r"(\w[\w, *]*) : (.*)", line)):
            written += [found[1], f"    {_escaped(found[2])}"]
        else:
            written.append(_escaped(line))
    lines[:] = written


def _escaped(line: str) -> str:
    """Bars and stars outside of literals, escaped."""
    parts = re.split(r"(``.*?``)", line)
    parts[::2] = [re.sub(r"([|*])", r"\\\1", text) for text in parts[::2]]
    return "".join(parts)


def setup(app: Any) -> None:
    """Read the docstrings as this project writes them."""
    app.connect("autodoc-process-docstring", plain_text, priority=400)

"""How Sphinx builds the site: ``make docs``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

HERE = Path(__file__).resolve().parent
# The generators of pages lie beside this file.
sys.path.insert(0, str(HERE))

import pages  # noqa: E402

import workbench as wb  # noqa: E402

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "Falco Plugin Workbench"
author = "the authors of the Falco Plugin Workbench"
version = release = wb.__version__
extensions = ["myst_nb", "sphinx.ext.autodoc"]
exclude_patterns = ["_build", "pages"]

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 4
# Notebooks are run by the tests; here they are shown as they are.
nb_execution_mode = "off"

# Cells with %%plugin hold C, which the notebook's own language cannot colour.
suppress_warnings = ["misc.highlighting_failure"]

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_class_signature = "separated"
add_module_names = False
python_maximum_signature_line_length = 80

html_theme = "pydata_sphinx_theme"
html_title = project
html_theme_options = {
    "logo": {"text": project},
    "show_toc_level": 2,
    "show_prev_next": False,
    # Nothing is fetched from elsewhere: the site works from a folder.
    "icon_links": [],
    "navbar_end": ["theme-switcher"],
}
html_show_sourcelink = False
html_copy_source = False


def setup(app: Sphinx) -> None:
    """Write the pages that are made from the code, before Sphinx looks for pages."""
    app.connect("builder-inited", lambda app: pages.write(Path(app.srcdir)))
    app.connect("source-read", pages.plain_links_out)

"""The site: Sphinx with the pydata theme, the committed notebooks, and the API from the docstrings.

Build it into build/site with

    python -m sphinx -W --keep-going -b html docs build/site
"""

import sys
from pathlib import Path

FOLDER = Path(__file__).parent
sys.path.insert(0, str(FOLDER.parent))  # the checkout, whose own extension and library this documents

from docs.site import host  # noqa: E402
from docs.site.api import classes  # noqa: E402
from docs.site.linkcode import source_page as linkcode_resolve  # noqa: E402, F401 - linkcode asks for it

project = "backprop"
author = "the authors of backprop"
language = "en"

extensions = [
    "myst_nb",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.linkcode",
    "sphinx_copybutton",
    "docs.site",
]
# A notebook is committed with its outputs; the Markdown beside it is its source.
exclude_patterns = ["tutorial/*.md", "**.ipynb_checkpoints"]
nb_execution_mode = "off"
myst_enable_extensions = ["attrs_block", "attrs_inline", "colon_fence", "dollarmath"]
myst_heading_anchors = 4

default_role = "py:obj"  # `x` in a docstring: code, and a link if it is a public name
add_module_names = False
maximum_signature_line_length = 90
autodoc_default_options = {"members": True, "member-order": "bysource"}
autodoc_typehints = "none"  # the types stand in the sections of the docstrings
numpydoc_show_class_members = False
numpydoc_xref_param_type = True  # types of parameters link to the classes of this library
numpydoc_xref_ignore = "all"
numpydoc_xref_aliases = classes()

copybutton_prompt_text = r">>> |\.\.\. |\$ "  # what is copied can be run
copybutton_prompt_is_regexp = True

WIDE = ("learn", "examples", *(f"code/floor{number}" for number in range(7)))  # graphs, code of 110 columns
html_theme = "pydata_sphinx_theme"
html_title = "backprop"
html_short_title = "backprop"
html_static_path = ["site/static"]
html_favicon = "site/static/icon.svg"
html_css_files = ["site.css"]
html_js_files = ["site.js"]
html_math_renderer = "mathml"
html_sidebars = {"learn": []}
html_show_sourcelink = False
html_copy_source = False
html_show_copyright = False
html_context = {"default_mode": "auto", **host.context()}
html_theme_options = {
    "logo": {
        "text": "backprop",
        "image_light": "site/static/icon.svg",
        "image_dark": "site/static/icon_dark.svg",
    },
    "navbar_end": ["theme-switcher", "navbar-icon-links"],
    "footer_start": [],
    "footer_end": ["theme-version"],
    "header_links_before_dropdown": 6,
    "secondary_sidebar_items": {"**": ["page-toc", "edit-this-page"], **dict.fromkeys(WIDE, [])},
    "show_prev_next": True,
    "navigation_with_keys": False,
    "pygments_light_style": "github-light",
    "pygments_dark_style": "github-dark",
    **host.theme_options(),
}

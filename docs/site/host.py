"""Links that need the repository's public address: the Colab badge of notebooks, edit links, links to files.

The address is `GITHUB_REPOSITORY`, "owner/name", which hosted Actions set. Without it there is none of this.
"""

import json
import os
from typing import Any

from sphinx.application import Sphinx

HOST = "https://github.com"
COLAB = "https://colab.research.google.com/github"
BADGE = """[Open in Colab]({colab}/{repository}/blob/{branch}/docs/{page}.ipynb){{.colab}}

In Colab, install the library first: `%pip install git+{host}/{repository}`"""


def repository() -> str:
    """Return "owner/name", or "" where the project has no address."""
    return os.environ.get("GITHUB_REPOSITORY", "")


def branch() -> str:
    """Return the branch that the site is built from."""
    return os.environ.get("GITHUB_REF_NAME", "") or "main"


def address(path: str, folder: bool = False) -> str:
    """Return the address at which the host shows a file or folder of the repository, or ""."""
    kind = "tree" if folder else "blob"
    return f"{HOST}/{repository()}/{kind}/{branch()}/{path}" if repository() else ""


def theme_options() -> dict[str, Any]:
    """Return the theme's options: the icon of the repository and the edit links."""
    if not repository():
        return {}
    icon = {"name": "Repository", "url": f"{HOST}/{repository()}", "icon": "fa-brands fa-github"}
    return {"icon_links": [icon], "use_edit_page_button": True}


def context() -> dict[str, str]:
    """Return the context from which the theme makes edit links."""
    owner, _, name = repository().partition("/")
    return {"github_user": owner, "github_repo": name, "github_version": branch(), "doc_path": "docs"}


def add_badge(app: Sphinx, docname: str, content: list[str]) -> None:
    """Put the Colab badge into a notebook, under its title."""
    if repository() and app.env.doc2path(docname).suffix == ".ipynb":
        notebook = json.loads(content[0])
        text = BADGE.format(colab=COLAB, host=HOST, repository=repository(), branch=branch(), page=docname)
        cell = {"cell_type": "markdown", "id": "colab", "metadata": {}, "source": text}
        notebook["cells"].insert(1, cell)
        content[0] = json.dumps(notebook)


def setup(app: Sphinx) -> None:
    """Listen to the reading of notebooks."""
    app.connect("source-read", add_badge)

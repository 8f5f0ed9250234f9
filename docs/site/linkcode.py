"""The link "[source]" of an entry of the API, to the page that shows its file."""

import inspect
import sys
from pathlib import Path
from typing import Any

from docs.site.paths import ROOT, relative, shown


def source_page(domain: str, info: dict[str, str]) -> str | None:
    """Return the link of an entry, as `sphinx.ext.linkcode` asks for it; None without a file."""
    thing: Any = sys.modules.get(info["module"])
    for part in info["fullname"].split("."):
        thing = getattr(thing, part, None)
    thing = thing.fget if isinstance(thing, property) else thing
    try:
        file = inspect.getsourcefile(inspect.unwrap(thing))
    except TypeError:  # a constant
        return None
    path = Path(file or "/")
    page = shown().get(relative(path)) if path.is_relative_to(ROOT) else None
    return f"../{page[0]}.html#{page[1]}" if page else None

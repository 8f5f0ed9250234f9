"""A crawler of the built site: every internal link leads to a file, and to an id that is on that page.

It prints the dead links, and exits with 1 if there is one or if there is no page:

    python -m docs.site.check build/site
"""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LINKS = {"a": "href", "link": "href", "script": "src", "img": "src", "iframe": "src", "source": "src"}


@dataclass
class Page(HTMLParser):
    """A page as the crawler sees it: its links, as (element, address), and its ids."""

    links: list[tuple[str, str]] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the link and the id of an element."""
        found = dict(attrs)
        self.ids |= {value for name in ("id", "name") if (value := found.get(name))}
        if address := found.get(LINKS.get(tag, "")):
            self.links.append((tag, address))


def read(folder: Path) -> dict[Path, Page]:
    """Return every page of a site by its path, without the theme's own files."""
    pages = {}
    for file in sorted(set(folder.rglob("*.html")) - set(folder.glob("_static/**/*.html"))):
        pages[file.resolve()] = page = Page()
        page.feed(file.read_text(encoding="utf-8"))
    return pages


def dead(pages: dict[Path, Page]) -> Iterator[str]:
    """Yield each internal link that leads nowhere, in words."""
    for file, page in pages.items():
        for _, address in page.links:
            parts = urlsplit(address)
            if parts.scheme or parts.netloc:
                continue
            target = (file.parent / unquote(parts.path)).resolve() if parts.path else file
            target = target / "index.html" if target.is_dir() else target
            if not target.is_file():
                yield f"{file.name}: {address}: there is no such file"
            elif (anchor := unquote(parts.fragment)) and target in pages and anchor not in pages[target].ids:
                yield f"{file.name}: {address}: there is no such id"


def main(arguments: list[str] | None = None) -> int:
    """Print the dead links of a site; return the exit code."""
    parser = argparse.ArgumentParser(description="Find dead links in the built site.")
    parser.add_argument("folder", type=Path, help="where the site was built: build/site")
    folder = parser.parse_args(arguments).folder
    pages = read(folder)
    if not pages:
        print(f"{folder}: there is no page")
        return 1
    found = [*dead(pages)]
    print("\n".join(found) or "every link leads somewhere")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())

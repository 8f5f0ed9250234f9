"""The repository, and which page of the site shows which of its files."""

import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
LANGUAGES = {
    ".py": "python",
    ".cu": "cuda",
    ".h": "cpp",
    ".js": "javascript",
    ".css": "css",
    ".html": "html",
    ".toml": "toml",
}
FRONTS = {  # files and folders that a page of the site stands for
    "README.md": "index",
    "benchmarks": "benchmarks",
    "docs": "index",
    "docs/api": "api/index",
    "docs/code": "code/index",
    "docs/guides": "guides",
    "docs/tutorial": "learn",
}
_SOURCES = re.compile(r"^`{3,}\{sources\} +(\S+)$", re.MULTILINE)
_PAGE = re.compile(r"^`{3,}\{page\} +(\S+)$", re.MULTILINE)


def relative(path: Path) -> str:
    """Return the path from the root of the repository, with forward slashes."""
    return path.relative_to(ROOT).as_posix()


def anchor(path: str) -> str:
    """Return the id of a file or folder on the page that shows it: `backprop-layers-relu-py`."""
    return re.sub(r"\W+", "-", path).strip("-").lower()


def files_of(place: str) -> list[Path]:
    """Return the source files of a folder, without those of its subfolders, or the one file that is named."""
    path = ROOT / place
    if not path.is_dir():
        return [path] if path.is_file() else []
    found = [each for each in path.iterdir() if each.suffix in LANGUAGES and each.stat().st_size]
    return sorted(found, key=lambda each: (each.name != "__init__.py", each.name))


@cache
def shown() -> dict[str, tuple[str, str]]:
    """Return, by path, the page and the id at which a file or folder of the repository is shown."""
    places: dict[str, tuple[str, str]] = {}
    for page in sorted(DOCS.rglob("*.md")):
        name = page.relative_to(DOCS).with_suffix("").as_posix()
        text = page.read_text(encoding="utf-8")
        for place in _SOURCES.findall(text):
            for path in (place, *map(relative, files_of(place))):
                places.setdefault(path.rstrip("/"), (name, anchor(path)))
        for target in _PAGE.findall(text):
            places[relative((page.parent / target).resolve())] = name, ""
    places |= {place: (page, "") for place, page in FRONTS.items()}
    return places

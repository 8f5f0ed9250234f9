"""Every docstring begins with a verb in the imperative, or with the thing that it documents.

Functions begin with the verb. Modules, classes, properties and fixtures may name the thing. Only the first
word is judged, and only the standard library is needed.

    python tests/test_docstrings.py         thirty docstrings at random, for reading
"""

import ast
import random
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = "backends", "backprop", "benchmarks", "docs", "examples"


def words(text):
    return frozenset(text.split())


QUESTIONS = words("how what when where whether which who whose why")
PRONOUNS = words(
    "anything everything he her here his it its none nothing our ours she something such that their there "
    "these they this those we you your"
)
PREPOSITIONS = words(
    "above across after against along among around at before behind below beneath beside besides between by "
    "beyond during except for from in inside into like near of off on onto out outside over since than "
    "through to toward under until up upon via with within without"
)
OTHERS = words(
    "also although and as because but else if let likewise no nor not only or so then though too unless while"
)
NEVER = QUESTIONS | PRONOUNS | PREPOSITIONS | OTHERS
# Verbs in the third person that are no plural nouns as well. ("Checks of arrays" is a thing.)
THIRD_PERSON = words(
    "asks builds compiles computes contains does gives has holds is keeps makes raises reads returns says "
    "shows takes tells trains writes"
)
DETERMINERS = words("a all an another any both each every few many most one other several some the")
NAMES_A_THING = ("property", "fixture", "setter")


class Docstring(NamedTuple):
    """A docstring and what it documents.

    place: file and line.  is_function: a function or method, which has to begin with a verb.
    """

    place: str
    text: str
    is_function: bool

    @property
    def fault(self):
        """The reason why its first word is refused; "" if it is not."""
        first = self.text.split()[0] if self.text.strip() else ""
        word = first.rstrip(",.:;!?").lower()
        formula = self.text.split()[1:2] == ["="]  # out = x W + b, where `out` is no preposition
        if not word:
            return "it is empty"
        if (word in NEVER and not formula) or word in THIRD_PERSON:
            return f'begins with "{first}"'
        if not self.is_function:
            return ""
        if word in DETERMINERS:
            return f'names a thing ("{first} …"), where a function needs a verb'
        if not first[0].isupper():
            return f'begins with "{first}", where a function needs a verb'
        if word.endswith("s") and not word.endswith("ss"):
            return f'"{first}" is no imperative'
        return ""

    def __str__(self):
        return f"{self.place}: {self.text.strip().splitlines()[0] if self.text.strip() else ''}"


def docstrings(source, name):
    """Yield every docstring of a module's source."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        text = ast.get_docstring(node)
        if text is not None:
            is_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not any(
                ast.unparse(decorator).partition("(")[0].endswith(NAMES_A_THING)
                for decorator in node.decorator_list
            )
            yield Docstring(f"{name}:{getattr(node, 'lineno', 1)}", text, is_function)


def of_the_repository():
    """Yield the docstrings of all Python files but the tests."""
    files = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    for path in (ROOT / "setup.py", *(path for path in files if "private" not in path.parts)):
        yield from docstrings(path.read_text(encoding="utf-8"), str(path.relative_to(ROOT)))


def test_docstrings_begin_with_a_verb_or_the_thing():
    found = [*of_the_repository()]
    wrong = [f"{docstring}  [{docstring.fault}]" for docstring in found if docstring.fault]
    assert len(found) > 1000 and not wrong, "\n" + "\n".join(wrong)


@pytest.mark.parametrize(
    ("first", "function", "thing"),
    [
        ("Return the mean.", True, True),
        ("Pass dout on.", True, True),
        ("Return, by name, …", True, True),
        ("True if it fits.", True, True),
        ("The mean.", False, True),
        ("An affine map.", False, True),
        ("out = x W + b", False, True),
        ("Arrays by name.", False, True),
        ("Checks of arrays.", False, True),
        ("Returns the mean.", False, False),
        ("Makes a network.", False, False),
        ("What a layer is.", False, False),
        ("Whether it fits.", False, False),
        ("How it is done", False, False),
        ("Of each sample.", False, False),
        ("Inside, the mean.", False, False),
        ("Nothing.", False, False),
        ("Let it run.", False, False),
        ("Like the other.", False, False),
        ("Its mean.", False, False),
    ],
)
def test_the_rule(first, function, thing):
    for kind, source, allowed in (
        ("a function", f"def f():\n    '''{first}'''", function),
        ("a property", f"@property\ndef f():\n    '''{first}'''", thing),
        ("a class", f"class C:\n    '''{first}'''", thing),
        ("a module", f"'''{first}'''", thing),
    ):
        (docstring,) = docstrings(source, "here")
        assert (docstring.fault == "") == allowed, kind


if __name__ == "__main__":
    for chosen in random.sample([*of_the_repository()], 30):
        print(chosen)

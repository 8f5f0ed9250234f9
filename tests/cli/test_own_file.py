"""A user's own file, whatever is in it: an object or one line that says what is wrong, and no traces."""

import os
import random
import sys
import warnings
from operator import is_

import pytest

pytest.importorskip("click")

import click

from backends import load as load_backend
from backprop.cli.own_fault import Fault
from backprop.cli.own_file import OwnFile
from backprop.cli.own_layer import own_layer

PYTHONS = os.path.dirname(os.__file__)  # where the modules lie that come with Python


def load(path, name="A"):
    """Return the object of a name, called if it is a class, or the error line; no traces are left."""
    before, modules = traces(), {**sys.modules}
    try:
        file = OwnFile(f"{path}:{name}", "--file", "my_layer.py:MyLayer")
        with file.loaded() as found:
            return file.call(found) if isinstance(found, type) else found
    except (Fault, click.UsageError) as error:
        assert len(str(error).splitlines()) == 1
        line = str(error).replace(" ".join(str(path).split()), "").replace(str(path.parent), "")
        assert len(line) <= 184, line
        return line
    finally:
        assert traces() == before
        assert all(map(is_, map(sys.modules.get, modules), modules.values()))
        new = {
            each: vars(sys.modules[each])["__spec__"].origin for each in sys.modules.keys() - modules.keys()
        }
        assert all(origin.startswith((PYTHONS, "built-in", "frozen")) for origin in new.values()), new


def traces():
    objects = sys.path, sys.argv, sys.modules, sys.stdin, sys.stdout, sys.stderr
    return [*map(id, objects), sys.path[:], sys.argv[:], os.getcwd()]


# ------------------------------------------------------------------------------- what a search puts together

STATEMENTS = [
    each.replace("|", "\n")
    for each in r"""
A = 1
A: int = 3
B = A = lambda: 0
def A(): return A
class A: pass
class A:|    def __init__(self, x, y=3): self.x = x
class A:|    def __init__(self): raise KeyError('a\nb')
class Meta(type):|    def __call__(self): 1 / 0|class A(metaclass=Meta): pass
class A:|    def __getattr__(self, name): raise ValueError(name)|B = A()
class Said(Exception):|    def __str__(self): return 3|raise Said
class Long(Exception): pass|raise Long('x y ' * 10_000)
class Stop(BaseException): pass|raise Stop
def __getattr__(name): raise NameError(name)
def __getattr__(name): return name
def f(): return f()|f()
from dataclasses import dataclass|@dataclass|class A:|    x: int = 0
import sys|sys.exit()
import sys|sys.exit('no\nmore')
import sys|sys.path = sys.argv = None
import sys|sys.path.insert(0, 'folder'); sys.argv.append('x'); sys.path.remove(sys.path[-1])
import sys|sys.stdout = sys.stderr = sys.stdin = None
import sys|sys.modules = {}
import sys|sys.modules[__name__] = None
import sys|sys.modules['backprop'] = sys.modules['new'] = 3|del sys.modules['numpy']
import os|os.chdir('/')
import no_such_module
import neighbour|A = neighbour.A
import broken_neighbour
from . import neighbour
from .neighbour import A
from .... import neighbour
from ............................................................ import neighbour
from neighbour import no_such_name
from backprop.no_such_module import x
import backprop, backends|A = backprop.layers
import backprop.layers.affine as A
import numpy as np|A = np.zeros(3)
print('printed')
print(A)
raise StopIteration
raise GeneratorExit
raise SyntaxError(3)
raise SyntaxError('m', ('f', None, None, None))
raise ModuleNotFoundError(name=3)
raise ExceptionGroup('g', [ValueError(1), TypeError(2)])
raise ValueError('a') from KeyError('b')
raise MemoryError
exec(compile('1 / 0', '/dev/zero', 'exec'))
eval('1 +')
assert not A
del __name__
__file__ = __spec__ = __name__ = None
__builtins__ = {}
if __name__ == '__main__': raise ValueError
async def A(): pass
A = (yield)
return
nonlocal A
'''
"\N{no such name}" + f"{A!x}"
A = 0777
    A = 1
A = 1 if
# coding: latin-1
# coding: utf-16
# coding: no-such
# coding: undefined
""".strip("\n").split("\n")
]
NAMES = ["A"] * 12 + ["B", "Å", "A" * 300, "x", "__init__", "", "a b", "A.b", "1", "class", "A:A", "\0"]
FILES = ["my_layer.py"] * 6 + [
    *("a.b.c.py", "3.py", "a b:c.py", "class.py", "without", ".py", "__init__.py", "é.py"),
    *("a\nb.py", "\udcff.py", "x" * 250 + ".py", "json.py", "backprop.py"),
]
ENCODINGS = ["utf-8"] * 6 + ["utf-8-sig", "utf-16", "utf-32", "latin-1", "utf-7", "cp037"]
SIGNS = "\0\r\f\x1a\ufeff\u2028()[]{}'\"\\#:=\t é\U0001f600"


def drawn(pick):
    """A file's bytes, its name, and the name that is asked for.  pick: a random.Random."""
    text = "\n".join(pick.choices(STATEMENTS, k=pick.choice((0, 1, 1, 1, 2, 3))))
    if pick.random() < 0.2:  # spoilt: cut off, or with signs too many
        at = pick.randrange(len(text) + 1)
        text = text[:at] + pick.choice(("", pick.choice(SIGNS) * pick.choice((1, 2, 200)) + text[at:]))
    source = text.encode(pick.choice(ENCODINGS), "replace")
    if pick.random() < 0.05:
        source = pick.randbytes(pick.randrange(200))
    return source, pick.choice(FILES), pick.choice(NAMES)


FILES_EACH = 5  # in an example, since hypothesis takes as long for one as they do together


@pytest.mark.parametrize("files", [3_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_whatever_is_in_a_file_it_is_loaded_or_told_in_one_line(tmp_path, monkeypatch, files):
    hypothesis = pytest.importorskip("hypothesis")
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    (folder / "neighbour.py").write_text("A = 1")
    (folder / "broken_neighbour.py").write_text("A = (")
    outcomes = set()

    def search(number):
        pick = random.Random(number)
        for _ in range(FILES_EACH):
            source, file, name = drawn(pick)
            hypothesis.note(repr((source, file, name)))
            (folder / file).write_bytes(source)
            with warnings.catch_warnings(action="ignore"):  # of what is in the files
                found = load(folder / file, name)
            (folder / file).unlink()
            outcomes.add(found if isinstance(found, str) else type(found))

    settings = {"derandomize": files == 3_000, "database": None, "deadline": None}
    numbers = hypothesis.given(hypothesis.strategies.integers(0, 2**64))
    hypothesis.settings(max_examples=files // FILES_EACH, **settings)(numbers(search))()
    assert len(outcomes) > 100


# ----------------------------------------------------------------------------------------- known difficulties


@pytest.fixture
def own(tmp_path):
    """Write a file: `own(source)` returns its path."""

    def write(source, name="my_layer.py"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(source)
        return path

    return write


@pytest.mark.parametrize("begin", ["-", "x", "lambda: "])
def test_a_file_that_python_cannot_compile(own, begin):
    deep = begin + ".a" * 100_000 if begin == "x" else begin * 10_000 + "1"
    assert load(own(f"A = {deep}")) == ": Python cannot compile it: it is nested too deeply"


def test_a_file_knows_its_path(own):
    path = own("A = __file__")
    assert load(path) == str(path)


def test_a_file_that_was_changed_within_a_second_is_read_again(own, monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    for number in (2.5, 3.5):
        path = own(f"A = {number}")
        os.utime(path, (1, 1))
        assert load(path) == number


def test_a_file_with_dots_in_its_name_can_import_its_neighbours(own):
    own("A = 5", "neighbour.py")
    assert load(own("from .neighbour import A", "layers.v2.py")) == 5


def test_a_neighbour_of_the_same_name_elsewhere_is_another_one(own):
    for folder in ("one", "two"):
        own(f"A = {folder!r}", f"{folder}/neighbour.py")
        assert load(own("from neighbour import A", f"{folder}/my_layer.py")) == folder


def test_an_exception_that_is_none_of_exception_is_told_too(own):
    """As pytest.skip raises one in the middle of a file of tests."""
    assert load(own("import pytest\npytest.skip('not here', allow_module_level=True)")) == (
        ":2: Skipped: not here"
    )


def test_an_error_of_the_users_own_command_line_is_told_as_theirs(own):
    assert load(own("import click\nraise click.UsageError('no')")) == ":2: UsageError: no"


def test_ctrl_c_is_no_fault(own):
    with pytest.raises(KeyboardInterrupt):
        load(own("raise KeyboardInterrupt"))


def test_the_working_directory_may_be_gone(own, tmp_path, monkeypatch):
    path = own("A = 1")
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with OwnFile(f"{path}:A", "--file", "my_layer.py:MyLayer").loaded() as found:
        assert found == 1


NO_FILES = {  # what is made at a path, and what is said of it
    "nothing": (lambda path: None, "no such file"),
    "a folder": (os.mkdir, "a directory, not a file"),
    "a link to itself": (lambda path: os.symlink(path, path), "no such file"),
    "a dangling link": (lambda path: os.symlink("nothing", path), "no such file"),
    "a pipe": (lambda path: os.mkfifo(path), "not a regular file"),
    "a device": (lambda path: os.symlink(os.devnull, path), "not a regular file"),
}


@pytest.mark.skipif(sys.platform == "win32", reason="links, pipes and devices of POSIX")
@pytest.mark.parametrize("kind", NO_FILES)
def test_what_is_no_file_is_told_and_not_opened(tmp_path, kind):
    make, said = NO_FILES[kind]
    make(tmp_path / "a")
    assert load(tmp_path / "a") == f"--file: : {said}"


@pytest.mark.parametrize("path", ["x" * 5000, "a\0b", "~", " "])
def test_a_path_that_cannot_be(path):
    with pytest.raises(click.UsageError, match="no such file"):
        OwnFile(f"{path}:A", "--file", "my_layer.py:MyLayer")


def test_a_name_that_is_none_is_cut():
    with pytest.raises(click.UsageError) as told:
        OwnFile("my_layer.py:" + "a b" * 1000, "--file", "my_layer.py:MyLayer")
    assert len(str(told.value)) <= 184 and "PATH:NAME" in str(told.value)


def test_an_error_of_the_call_fits_two_lines(own):
    name = "Net" * 100
    source = f"class {name}:\n  def loss(self, x, t): pass\n  def gradient(self, x, t): pass"
    named = f"{own(source)}:{name}"
    with pytest.raises(click.UsageError) as told, own_layer(named, None, None, load_backend("numpy")):
        pass
    assert len(str(told.value)) <= 184 and str(told.value).endswith("…(...), x, t")

"""Wrong calls of every command and every option: an exit code for the kind, and one line that says what.

The line names the option, the rule and what came, and what is meant where that can be guessed.
"""

import pytest

pytest.importorskip("click")
pytest.importorskip("tqdm")

from backprop.cli import cli

OWN = """
import numpy as np
from backprop.scalar import ExpLayer, LogLayer, MulLayer
class Linear:
    def __init__(self): self.W, self.dW = np.ones((3, 2)), None
    def forward(self, x): self.x = x; return x @ self.W
    def backward(self, d): self.dW = self.x.T @ d; return d @ self.W.T
class Wide:
    def __init__(self, size): pass
class Product:
    def forward(self, left, right): return left * right
    def backward(self, d): return d, d
def pair(): return Linear(), np.ones((2, 3))
def fails(): raise RuntimeError("no\\nluck")
def ends(): raise SystemExit(0)
def results(a=2.0): return ExpLayer().forward(a), LogLayer().forward(a)
def needs(a): return ExpLayer().forward(a)
def large(a=1e200): return MulLayer().forward(a, a)
number = 5
"""
LARGE = "from 1 to 1,000,000,000, got"
SAMPLE = "train --data sample --iterations 1 --hidden 2"
FILE = "check --file ../own.py:Linear"
WRONG_CALLS = {  # a command line, and what must be said of it
    # -------------------------------------------------------------------------------------------- no command
    "''": "there is no command ''; there are train, predict, evaluate, check, bench,",
    "help": "there is no command help; did you mean --help?",
    "version": "did you mean --version?",
    "trian": "there is no command trian; did you mean train?",
    "TRAIN": "did you mean train?",
    "--quick": "there is no option --quick",
    "-v": "did you mean -V?",
    "'\x1b[31m'": r"there is no command '\x1b[31m'",
    # ------------------------------------------------------------------------------------------------- train
    "train now": "unexpected argument now",
    "train -- --epochs": "unexpected argument --epochs",
    "train --iterations": "--iterations needs a value",
    "train --iterations many": f"--iterations must be a whole number {LARGE} many",
    "train --iterations ''": f"{LARGE} ''",
    "train --iterations 0": f"{LARGE} 0",
    "train --iterations 1.5": f"{LARGE} 1.5",
    "train --iterations 1e3": f"{LARGE} 1e3",
    f"train --iterations {'9' * 5000}": f"{LARGE} '999999",
    "train --iterations 5 --epochs 5": "give --iterations or --epochs, not both",
    "train --epochs 0": f"--epochs must be a whole number {LARGE} 0",
    "train --epochs 1000000001": f"{LARGE} 1000000001",
    "train --epoch 3": "there is no option --epoch; did you mean --epochs?",
    "train --epoch-count=3": "there is no option --epoch-count",
    "train -epochs 3": "there is no option -epochs; did you mean --epochs?",
    "train --batch-size 0": f"--batch-size must be a whole number {LARGE} 0",
    "train --batch 10": "did you mean --batch-size?",
    "train --learning-rate 0": "--learning-rate must be a finite number above 0, got 0",
    "train --learning-rate -1": "above 0, got -1",
    "train --learning-rate nan": "above 0, got nan",
    "train --learning-rate 1e999": "above 0, got 1e999",
    "train --learning-rate abc": "above 0, got abc",
    f"{SAMPLE} --learning-rate 1e39": "--learning-rate must be from 1.18e-38 to 3.4e+38 in float32, got",
    f"{SAMPLE} --learning-rate 1e-38": "--dtype float32: --learning-rate must be from 1.18e-38 to",
    "train --lr 0.1": "there is no option --lr; did you mean --learning-rate?",
    "train -lr 0.1": "there is no option -lr; did you mean --learning-rate?",
    "train --learning_rate 0.1": "did you mean --learning-rate?",
    "train --hidden -5": "--hidden must be whole numbers from 1 to 1,000,000,000, as in 50 or 100,50, got -5",
    "train --hidden 100,": "as in 50 or 100,50, got 100,",
    "train --hidden 100,0": "as in 50 or 100,50, got 100,0",
    "train --hidden 100x50": "as in 50 or 100,50, got 100x50",
    "train --hidden_size 100": "did you mean --hidden?",
    "train --model conv": "--model must be one of two-layer, multi-layer, simple-conv, deep-conv, got conv",
    "train --model simpleconv": "got simpleconv; did you mean simple-conv?",
    "train --model two_layer": "did you mean two-layer?",
    "train --model": "--model needs a value",
    "train --model two-layer --hidden 100,50": "--hidden must be one number with --model two-layer, got 100",
    "train --model deep-conv --hidden 100,50": "--hidden must be one number with --model deep-conv, got",
    "train --model two-layer --batch-norm": "--batch-norm has no effect with --model two-layer, only with",
    "train --model two-layer --activation relu": "--activation has no effect with --model two-layer",
    "train --model simple-conv --dropout 0.2": "--dropout has no effect with --model simple-conv, only with",
    "train --model simple-conv --activation gelu": "--activation has no effect with --model simple-conv",
    "train --model deep-conv --batch-norm": "--batch-norm has no effect with --model deep-conv, only with",
    "train --model deep-conv --dropout 0": "--dropout has no effect with --model deep-conv",
    "train --model deep-conv --init he": "--init has no effect with --model deep-conv, only with two-layer,",
    "train --data cifar": "--data must be one of auto, mnist, fashion-mnist, sample, got cifar",
    "train --data MNIST": "got MNIST; did you mean mnist?",
    "train --data fashion": "got fashion; did you mean fashion-mnist?",
    "train --data fashion_mnist": "did you mean fashion-mnist?",
    "train --optimizer adagard": "adam, adamw, got adagard; did you mean adagrad?",
    "train --optimizer SGD": "did you mean sgd?",
    "train --optimizer lion": "must be one of sgd, momentum, nesterov, adagrad, rmsprop, adam, adamw, got",
    "train --optimizer": "--optimizer needs a value",
    "train --schedule cosin": "cosine, one-cycle, warm-up, got cosin; did you mean cosine?",
    "train --schedule onecycle": "did you mean one-cycle?",
    "train --schedule ''": "one-cycle, warm-up, got ''",
    "train --schedule step": "--schedule must be step:EVERY or step:EVERY,BY, a count and a factor",
    "train --schedule step:0": "as in step:1000,0.5, got step:0",
    "train --schedule step:9,2": "as in step:1000,0.5, got step:9,2",
    "train --schedule constant:1": "--schedule must be constant, without numbers, got constant:1",
    "train --schedule cosine:1": "--schedule must be cosine or cosine:FLOOR, a factor from 0",
    "train --schedule cosine:nan": "got cosine:nan",
    "train --schedule one-cycle:0": "--schedule must be one-cycle or one-cycle:RISE,START,END, shares",
    "train --schedule one-cycle:0.1,0.2,0.3,0.4": "got one-cycle:0.1,0.2,0.3,0.4",
    "train --schedule warm-up": "--schedule must be warm-up:STEPS or warm-up:STEPS,SCHEDULE, a count, as in",
    "train --schedule warm-up:many": "as in warm-up:100,cosine, got warm-up:many",
    "train --schedule warm-up:9,cosin": "got warm-up:9,cosin",
    "train --schedule warm-up:9,warm-up:9": "got warm-up:9,warm-up:9",
    "train --activation rellu": "relu, leaky-relu, gelu, sigmoid, tanh, got rellu",
    "train --activation leaky_relu": "did you mean leaky-relu?",
    "train --batch-norm=1": "--batch-norm takes no value",
    "train --batch-norm --batch-size 1": "--batch-norm needs a --batch-size of at least 2, got 1",
    "train --batchnorm": "did you mean --batch-norm?",
    "train --dropout 1": "--dropout must be a number >= 0 and below 1, got 1",
    "train --dropout -0.1": "below 1, got -0.1",
    "train --dropout half": "below 1, got half",
    "train --weight-decay -1": "--weight-decay must be a finite number >= 0, got -1",
    "train --weight-decay inf": "number >= 0, got inf",
    f"{SAMPLE} --weight-decay 1e39": "--weight-decay must be from 1.18e-38 to 3.4e+38 in float32, got 1e+39",
    "train --init kaiming": "--init must be he, xavier, zeros or a finite number above 0, got kaiming",
    "train --init 0": "above 0, got 0",
    "train --init -0.01": "above 0, got -0.01",
    "train --shuffle epoch": "--shuffle must be one of draw, epochs, got epoch; did you mean epochs?",
    f"{SAMPLE} --shuffle epochs --batch-size 4001": "at most 4,000, the training images, with --shuffle",
    "train --label-smoothing 1": "--label-smoothing must be a number >= 0 and below 1, got 1",
    "train --validation 0": "--validation must be a number above 0 and below 1, got 0",
    "train --validation 1": "below 1, got 1",
    "train --validation nan": "below 1, got nan",
    f"{SAMPLE} --validation 1e-9": "--validation must hold out at least one image and leave one to train on, "
    "got 1e-09 of 4,000",
    "train --patience 0": f"--patience must be a whole number {LARGE} 0",
    "train --patience": "--patience needs a value",
    "train --processes 0": "--processes must be a whole number from 1 to 10,000, got 0",
    "train --processes many": "from 1 to 10,000, got many",
    "train --processes": "--processes needs a value",
    "train --process 2": "did you mean --processes?",
    "train --sync-batch-norm": "--sync-batch-norm has no effect without --batch-norm",
    "train --sync-batch-norm=1": "--sync-batch-norm takes no value",
    "train --data sample --data-dir ..": "--data-dir has no effect with --data sample",
    "train --data-dir": "--data-dir needs a value",
    "train --data-dir ''": "--data-dir must name a directory, got ''",
    "train --dtype float16": "--dtype must be one of float32, float64, got float16 (see",
    "train --dtype float": "did you mean float32?",
    "train --backend cuppy": "--backend must be one of numpy, cupy, auto, got cuppy; did you mean cupy?",
    "train --precision half": "--precision must be one of ieee, tf32, got half",
    f"{SAMPLE} --precision tf32": "--precision tf32 needs float32 and a CUDA GPU",
    "train --seed -1": "--seed must be a whole number >= 0, got -1",
    "train --seed 1.0": "whole number >= 0, got 1.0",
    "train --quiet=yes": "--quiet takes no value",
    "train --verbose": "there is no option --verbose",
    "train --json ../no/run.json": "--json: ../no/run.json: No such file",
    "train --json ..": "--json: ..: Is a directory",
    "train --json ''": "--json must name a file, got ''",
    "train --json run.json/": "--json must name a file, got run.json/",
    "train --json --quiet": "--json needs a value, got --quiet; name such a file ./--quiet",
    "train --json -q": "--json needs a value, got -q",
    "train --seed 1 --seed=1": "--seed is given twice",
    "train --json a --json b": "--json is given twice",
    "train --plot curve.bmp": "--plot must end in one of .pdf, .png, .svg, got curve.bmp",
    "train --checkpoint ''": "--checkpoint must name a directory, got ''",
    "train --checkpoint": "--checkpoint needs a value",
    "train --resume": "--resume needs --checkpoint DIR",
    "train --resume=run": "--resume takes no value",
    "train --checkpoint-every 9": "--checkpoint-every needs --checkpoint DIR",
    "train --checkpoint run --checkpoint-every 0": "--checkpoint-every must be a whole number from 1 to",
    "train --save ../no/net.safetensors": "--save: ../no/net.safetensors: No such file",
    "train --save": "--save needs a value",
    "train --save a.svg --plot a.svg": "--save and --plot must be different files",
    "train --plot a.png --plot-weights ./a.png": "--plot and --plot-weights must be different files",
    "train --plot-mistakes ../no/a.png": "--plot-mistakes: ../no/a.png: No such file",
    "train --plot-weights a": "--plot-weights must end in one of",
    # ------------------------------------------------------------------------------------------------- check
    "check ReLU": "unexpected argument ReLU",
    "check --layer affine": "--layer must be a known name, got affine; did you mean Affine?",
    "check --layer TwoLayer": "did you mean TwoLayerNet?",
    "check --layer Convolution": "--layer must be a known name, got Convolution; there are Affine, Conv2D, ",
    "check --layer": "--layer needs a value",
    "check --all --layer ReLU": "give only one of --layer, --file and --all",
    "check --layer ReLU --layer Affine": "--layer is given twice",
    f"{FILE} --file ../own.py:pair": "--file is given twice",
    f"{FILE} --constants --all": "--constants needs a value, got --all (see",
    "check --all=1": "--all takes no value",
    "check --file own.py": "--file must be PATH:NAME, as in my_layer.py:MyLayer",
    "check --file no.py:Linear": "--file: no.py: no such file",
    "check --file ../own.py:Linea": "../own.py has no Linea; did you mean Linear?",
    "check --file ../own.py:Wide": "name one that calls it, def make(): return Wide(...)",
    "check --file ../own.py:number": "int has no forward and no backward",
    "check --file ../own.py:fails": "in fails: RuntimeError: no luck",
    "check --file ../own.py:ends": "the file exits",
    "check --file ../own.py:Product": "'right'); name a function that returns them too, def make():",
    "check --file ../own.py:pair --shape 2,3": "--shape has no effect: pair returns its own inputs",
    f"{FILE} --shape 1000000000,3": "at most 1,000,000 numbers in all, got 1000000000,3",
    f"{FILE} --shape 4x3": "--shape must be sizes >= 1, as in 8,4,",
    f"{FILE} --shape 4,": "got 4,",
    f"{FILE} --shape 4,0": "got 4,0",
    f"{FILE} --constants mask": "--constants: Linear has no array 'mask'",
    "check --shape 4,3": "--shape has no effect without --file",
    "check --layer ReLU --constants mask": "--constants has no effect without --file",
    "check --method symbolic": "--method must be one of complex, central, got symbolic",
    "check --mode slow": "--mode must be one of fast, full, got slow",
    "check --backend torch": "--backend must be one of numpy, cupy, auto, got torch",
    "check --seed ''": "--seed must be a whole number >= 0, got ''",
    "check --json ../no/run.json": "--json: ../no/run.json: No such file",
    f"{FILE} --json ../own.py": "--file and --json must be different files",
    f"{FILE} --json ../link.py": "--file and --json must be different files",
    "check --dtype float64": "there is no option --dtype",
    # ------------------------------------------------------------------------------------------------- graph
    "graph": "GRAPH is missing",
    "graph apple": "--output is missing; name a file, as in -o apple.svg",
    "graph apple-ornage -o a.svg": "there is no graph apple-ornage; did you mean apple-orange?",
    "graph Apple -o a.svg": "there is no graph Apple; did you mean apple?",
    "graph pear -o a.svg": "GRAPH must be one of apple, apple-orange, sigmoid, softmax-loss, two-layer-net",
    "graph apple pear -o a.svg": "unexpected argument pear",
    "graph apple -o": "-o needs a value",
    "graph apple --output a.png": "--output must end in one of .svg, .html",
    "graph apple -o ../no/a.svg": "--output: ../no/a.svg: No such file",
    "graph apple -o a.svg --json ./a.svg": "--output and --json must be different files",
    "graph apple -o a.html --local": "--local has no effect with html",
    "graph apple -o a.svg --seed 5": "--seed has no effect without two-layer-net",
    "graph apple -o a.svg --backend numpy": "--backend has no effect with apple",
    "graph apple -o a.svg --backend NumPy": "got NumPy; did you mean numpy?",
    "graph apple -o a.svg --digits 18": "--digits must be a whole number from 1 to 17, got 18",
    "graph apple -o a.svg --digit 3": "did you mean --digits?",
    "graph two-layer-net -o a.svg --seed x": "--seed must be a whole number >= 0, got x",
    "graph no.py:f -o a.svg": "GRAPH: no.py: no such file",
    "graph ../own.py:fails -o a.svg": "in fails: RuntimeError: no luck",
    "graph ../own.py:number -o a.svg": "number must be a function that runs scalar layers",
    "graph ../own.py:results -o a.svg": "name a function that returns graph_of(results, output=",
    "graph ../own.py:needs -o a.svg": "or name one that returns graph_of(needs, x=1.0)",
    "graph ../own.py:large -o a.html": "draw it as svg",
    "graph ../link.py:pair -o a.svg --json ../own.py": "GRAPH and --json must be different files",
    # ------------------------------------------------------------------------------------------------- bench
    "bench now": "unexpected argument now",
    "bench --backend torch": "--backend must be one of numpy, cupy, auto, got torch",
    "bench --precision tf16": "--precision must be one of ieee, tf32, got tf16",
    "bench --quick=1": "--quick takes no value",
    "bench --seed -1": "--seed must be a whole number >= 0, got -1",
    "bench --plot chart.gif": "--plot must end in",
    "bench --plot a.svg --json a.svg": "--plot and --json must be different files",
    "bench --iterations 4": "there is no option --iterations",
    # -------------------------------------------------------------------------------------------------- info
    "info a.safetensors now": "unexpected argument now",
    "predict": "FILE is missing",
    "predict a": "IMAGE is missing",
    "predict a b.png --show=1": "--show takes no value",
    "predict a b.png --backend tpu": "--backend must be one of",
    "predict a b.png --json ../no/a.json": "--json: ../no/a.json: No such file",
    "evaluate": "FILE is missing",
    "evaluate a b": "unexpected argument b",
    "evaluate a --set validation": "--set must be one of test, train, got validation",
    "evaluate a --data cifar": "--data must be one of",
    "evaluate a --data-dir ''": "--data-dir must name a directory, got ''",
    "evaluate a --backend tpu": "--backend must be one of",
    "evaluate a --json ../no/a.json": "--json: ../no/a.json: No such file",
    "info --backend auto --json": "--json needs a value",
    "info --json --quick": "--json needs a value, got --quick",
    "info --backend Numpy": "got Numpy; did you mean numpy?",
    "info --data-dir ..": "there is no option --data-dir",
    # -------------------------------------------------------------------------------------------------- race
    "race 97": "unexpected argument 97",
    "race --to 99": "--to must be one of 97, 98, got 99",
    "race --to 0.97": "--to must be one of 97, 98, got 0.97",
    "race --to": "--to needs a value",
    "race --target 98": "there is no option --target",
    "race --seeds 0": "--seeds must be a whole number from 1 to 1,000,000, got 0",
    "race --seeds 1e3": "from 1 to 1,000,000, got 1e3",
    "race --seeds 5 --seeds 6": "--seeds is given twice",
    "race --seed -1": "--seed must be a whole number >= 0, got -1",
    "race --sed 1": "there is no option --sed; did you mean --seed?",
    "race --data auto": "--data must be one of mnist, sample, got auto",
    "race --data Sample": "got Sample; did you mean sample?",
    "race --data sample --data-dir ..": "--data-dir has no effect with --data sample",
    "race --data-dir ''": "--data-dir must name a directory, got ''",
    "race --backend cuppy": "--backend must be one of numpy, cupy, auto, got cuppy; did you mean cupy?",
    "race --dtype float64": "there is no option --dtype",
    "race --hidden 100": "there is no option --hidden",
    "race --plot race.gif": "--plot must end in one of .pdf, .png, .svg, got race.gif",
    "race --plot a.svg --json ./a.svg": "--plot and --json must be different files",
    "race --json ../no/race.json": "--json: ../no/race.json: No such file",
    "race --json -q": "--json needs a value, got -q",
    "race --quiet=yes": "--quiet takes no value",
}
BEYOND_HELP = (  # what is said of faults that --help cannot cure, and which therefore do not point to it
    "own.py:",
    "o such file",
    "s a directory",
    "own.py has no",
    "its own inputs",
    "has no array",
    "needs arguments",
    "needs other arguments",
    "no forward and no backward",
    "must be a function that runs",
    "graph_of(",
    "draw it as svg",
    "--precision tf32 needs",
    "in float32",
    "--validation must hold out",
    "--shuffle epochs, got",
)
FAILURES = {  # a command line, its exit code, and what must be said of it
    "train --data sample --iterations 9 --learning-rate 1e30 --seed 0": (1, "training diverged"),
    "train --data sample --hidden 1000000000": (3, "lower --hidden or --batch-size"),
    "train --data mnist --data-dir ../no": (3, "../no"),
    "train --data fashion-mnist --data-dir ../no": (3, "../no: --data-dir is not a readable directory: "),
    "train --data sample --hidden 9,1000000000": (3, "lower --hidden or --batch-size"),
    f"{SAMPLE} --backend cupy": (3, 'backend "cupy" cannot be used: CuPy is not installed'),
    "check --backend cupy": (3, ", or --backend numpy"),
    "graph two-layer-net -o a.svg --backend cupy": (3, ", or --backend numpy"),
    "bench --backend cupy": (3, ", or --backend numpy"),
    "race --data sample --backend cupy": (3, ", or --backend numpy"),
    "race --data-dir ../no": (3, "../no: --data-dir is not a readable directory"),
}
TABLE = {line: (2, words) for line, words in WRONG_CALLS.items()} | FAILURES


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty working folder beside a file of the user's."""
    (tmp_path / "own.py").write_text(OWN)
    (tmp_path / "link.py").symlink_to("own.py")
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def arguments_of(line):
    return ["" if word == "''" else word.strip("'") for word in line.split(" ")]


@pytest.mark.parametrize("line", TABLE, ids=lambda line: ascii(line[:60]))
def test_a_wrong_call_is_told_in_one_line_and_leaves_nothing(call, here, no_cupy, line):
    code, words = TABLE[line]
    ran = call(*arguments_of(line))
    assert (ran.code, words in ran.error) == (code, True), ran.err
    assert ran.error.startswith("backprop") and len(ran.error) <= 200
    if code == 2:
        assert ran.out == ""
        hint = f" (see {ran.error.partition(':')[0]} --help)"
        cannot_help = any(words in ran.error for words in BEYOND_HELP)
        assert ran.error.endswith(hint) != cannot_help or len(ran.error + hint) > 200
    assert not list(here.iterdir()) and (here.parent / "own.py").read_text() == OWN


def test_the_table_has_every_command_and_every_option():
    for name, command in cli.commands.items():
        words = {
            word.partition("=")[0] for line in TABLE if line.startswith(name) for word in line.split(" ")
        }
        missing = [option.opts for option in command.params if not words & {*option.opts, option.metavar}]
        assert not [opts for opts in missing if opts[0].startswith("-")], name
    assert len(TABLE) >= 80

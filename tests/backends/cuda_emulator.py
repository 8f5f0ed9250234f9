"""Our CUDA kernels on the CPU: g++ compiles them as C++ with cuda_emulator.h.

Unlike on a GPU, threads of a warp do not run in lockstep, blocks run one after the other, and times mean
nothing. A launch of a new size runs twice, the second time with blocks and threads in the opposite order: a
kernel that reads what another block writes, or misses a barrier, then gives another result.
"""

import ctypes
import os
import re
import shutil
import subprocess
import tempfile
from hashlib import sha256
from pathlib import Path
from threading import Lock
from zlib import crc32

import numpy as np
import pytest

HERE = Path(__file__).parent
TYPES = {
    "float": np.float32,
    "double": np.float64,
    "int64": np.int64,
    "uint64": np.uint64,
    "int": np.int32,
    "byte": np.uint8,
    "bool": np.bool_,
}
KERNEL = re.compile(r'extern "C" __global__ void (?:__launch_bounds__\([^)]*\)\s+)?(\w+)\(([^)]*)\)')


def signatures(source):
    """Return the C types of each kernel's parameters, by its name."""
    return {
        name: [one.strip().rpartition(" ")[0].removeprefix("const ") for one in listed.split(",") if one]
        for name, listed in KERNEL.findall(source)
    }


def as_cpp(source):
    """Return the source with a function `run_NAME(grid and block, addresses of arguments)` per kernel."""
    launchers = []
    for name, types in signatures(source).items():
        values = ", ".join(f"*({type_}*)arguments[{i}]" for i, type_ in enumerate(types))
        launchers.append(
            f'extern "C" bool run_{name}(const unsigned* d, void** arguments) {{\n'
            f"    auto kernel = [=] {{ {name}({values}); }};\n"
            "    return run_on_cpu({d[0], d[1], d[2]}, {d[3], d[4], d[5]}, kernel);\n}\n"
        )
    return "\n".join(['#include "cuda_emulator.h"', source, *launchers])


def compile_cpp(cpp, target, *options):
    """Compile a C++ program or library; skip the test if there is no g++."""
    if shutil.which("g++") is None:
        pytest.skip("g++ is not installed; it compiles the CUDA kernels for the CPU")
    file = target.with_suffix(".cpp")
    file.write_text(cpp)
    command = ["g++", "-std=c++20", "-O1", "-pthread", f"-I{HERE}", *options, str(file), "-o", str(target)]
    subprocess.run(command, check=True)


class EmulatedModule:
    """The kernels of a source as functions of arrays, with checks of arguments that a GPU would not make."""

    def __init__(self, source):
        self.signatures = signatures(source)
        kept = os.environ.get(KEPT)
        with tempfile.TemporaryDirectory(dir=kept) as folder:
            library = Path(folder, "kernels.so")
            place = library if kept is None else Path(kept, f"{sha256(source.encode()).hexdigest()}.so")
            if not place.exists():
                compile_cpp(as_cpp(source), library, "-shared", "-fPIC")
                library.replace(place)
            self.library = ctypes.CDLL(str(place))
        self.seen = set()  # launches that have run in both orders

    def get_function(self, name):
        types, run = self.signatures[name], getattr(self.library, f"run_{name}")
        run.restype = ctypes.c_bool

        def launch(grid, block, arguments):
            assert len(arguments) == len(types), f"{name} takes {len(types)} arguments, got {len(arguments)}"
            assert np.prod(block) <= 1024
            held = [checked(name, *pair) for pair in zip(types, arguments, strict=True)]
            addresses = (ctypes.c_void_p * len(held))(*(value.ctypes.data for value in held))
            dimensions = [*grid, 1, 1][:3] + [*block, 1, 1][:3]
            arrays = [value for value in arguments if isinstance(value, np.ndarray)]

            def once(reverse):
                self.library.set_order(crc32(repr(size).encode()), reverse)
                ended = run((ctypes.c_uint * 6)(*map(int, dimensions)), addresses)
                assert ended, f"{name}: its threads wait at different barriers"
                return [array.tobytes() for array in arrays]

            counts = [int(value) for value in arguments if isinstance(value, np.integer)]
            size = (name, *dimensions, *counts, *(array.shape for array in arrays))
            if size not in self.seen:
                self.seen.add(size)
                before = [array.copy() for array in arrays]
                results = once(reverse=True)
                for array, values in zip(arrays, before, strict=True):
                    np.copyto(array, values)
                assert once(reverse=False) == results, (
                    f"{name}: what it gives depends on the order of its blocks and threads"
                )
            else:
                once(reverse=False)

        return launch


def checked(name, type_, argument):
    """Return an argument as the 0-d array that the kernel receives: a number, or an array's address."""
    expected = TYPES[type_.removesuffix("*")]
    if not type_.endswith("*"):
        assert isinstance(argument, expected), f"{name}: {type_} got {type(argument).__name__}"
        return np.array(argument)
    if isinstance(argument, np.uintp):
        return np.array(argument)
    assert argument.dtype == expected, f"{name}: {type_} got an array of {argument.dtype}"
    assert argument.flags.c_contiguous, f"{name}: got an array that is not contiguous"
    assert argument.ctypes.data % expected().itemsize == 0, f"{name}: got an array at an odd address"
    return np.array(argument.ctypes.data, np.uintp)


_modules, _compiling = {}, Lock()
KEPT = "EMULATED_KERNELS"  # a variable: the directory where processes share what they have compiled


def emulated_module(source):
    """Return the kernels of a source, compiled once, also if several threads ask for it."""
    with _compiling:
        if source not in _modules:
            _modules[source] = EmulatedModule(source)
        return _modules[source]

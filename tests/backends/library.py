"""An array library made up for tests: NumPy under another name, whose arrays refuse NumPy's."""

import types

import numpy as np


class Library(types.ModuleType):
    """A namespace over NumPy with its own class of arrays, which cannot be mixed with NumPy's."""

    def __init__(self, name):
        super().__init__(name)
        library = self

        class ndarray(np.ndarray):
            def __array_ufunc__(self, ufunc, method, *inputs, out=(), **options):
                if any(type(value) is np.ndarray for value in inputs):
                    raise TypeError(f"{ufunc.__name__} of {name}'s arrays and NumPy's")
                return library.compute(getattr(ufunc, method), inputs, options, out)

        ndarray.__module__ = name
        self.ndarray = ndarray

    def compute(self, function, inputs, options, out=()):
        """Return the result of a function of this library's arrays, computed by NumPy."""
        options = {name: plain(value) for name, value in options.items()}
        if out:
            options["out"] = tuple(map(plain, out))
        result = function(*map(plain, inputs), **options)
        return out[0] if out else self.wrap(result)

    def wrap(self, value):
        is_numpys = isinstance(value, np.ndarray | np.generic)
        return np.asarray(value).view(self.ndarray) if is_numpys else value

    def __getattr__(self, name):
        value = getattr(np, name)
        if isinstance(value, type) or not callable(value):
            return value
        return lambda *arguments, **options: self.compute(value, arguments, options)


def plain(value):
    """Return a library's array, or a list of them, as NumPy's own."""
    if isinstance(value, list | tuple):
        return type(value)(map(plain, value))
    return value.view(np.ndarray) if isinstance(value, np.ndarray) else value

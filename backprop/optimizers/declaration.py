"""Checks of an optimizer's class: what its author has to declare, and settings that fit the parameters."""

from typing import Any

from backends import shown
from backprop.optimizers.fitting import number_in
from backprop.optimizers.setting import Setting


def require_declared(optimizer: Any, dtype: Any) -> None:
    """Raise TypeError for a mistake in the class, ValueError for a setting that does not fit the dtype."""
    kind = type(optimizer)
    where = kind.__name__
    if not hasattr(optimizer, "compute"):
        raise TypeError(f"{where}: an optimizer needs compute(self, xp, w, g, *settings, *state)")
    if isinstance(optimizer.zeros, str) or isinstance(optimizer.numbers, str):
        got = f"{optimizer.zeros!r} and {optimizer.numbers!r}"
        raise TypeError(f"{where}: zeros and numbers must be tuples of names, got {got}")
    if not isinstance(optimizer.settings, tuple) or optimizer.settings[:1] != ("learning_rate",):
        rule = 'settings must be a tuple of names that begins with "learning_rate"'
        raise TypeError(f"{where}: {rule}, got {shown(optimizer.settings)}")
    if not isinstance(kind.learning_rate, Setting):
        cure = "assign optimizer.learning_rate between updates"
        raise TypeError(f"{where}: a subclass cannot define learning_rate; {cure}")
    for name in optimizer.settings:
        if not isinstance(getattr(kind, name, None), Setting):
            raise TypeError(f'{where}: {name} is in settings: define {name} = Setting("…") in the class')
    for name in dir(kind):
        setting = getattr(kind, name)
        if isinstance(setting, Setting):
            number_in(dtype, where, name, setting.checked(where, getattr(optimizer, name)))

"""The scalar teaching layers: arithmetic, exp, log and sigmoid, on numbers or arrays.

Unlike all other layers they keep their operands after backward, so a notebook cell can run twice.

>>> apple, tax = MulLayer(), MulLayer()                     # two apples at 100 yen, 10 % tax
>>> price = tax.forward(apple.forward(100, 2), 1.1)
>>> dprice_before_tax, dtax = tax.backward(1)
>>> dapple, dapple_num = apple.backward(dprice_before_tax)
>>> print(round(price, 6), dapple, round(dapple_num, 6), dtax)
220.0 2.2 110.0 200

>>> apples, oranges, fruit, tax = MulLayer(), MulLayer(), AddLayer(), MulLayer()
>>> price = tax.forward(fruit.forward(apples.forward(100, 2), oranges.forward(150, 3)), 1.1)
>>> dfruit, dtax = tax.backward(1)
>>> dapples, doranges = fruit.backward(dfruit)
>>> dapple, dapple_num = apples.backward(dapples)
>>> dorange, dorange_num = oranges.backward(doranges)
>>> print(*(f"{value:.4g}" for value in (price, dapple, dapple_num, dorange, dorange_num, dtax)))
715 2.2 110 3.3 165 650

`backprop.graph` draws the computation. Source: book sections 5.4 and 5.5, appendix A.
"""

from backprop.scalar.arithmetic import AddLayer, DivLayer, MulLayer, ReciprocalLayer, SumLayer
from backprop.scalar.exponential import ExpLayer, LogLayer
from backprop.scalar.scalar_layer import ScalarLayer
from backprop.scalar.sigmoid import SigmoidLayer

__all__ = ["ScalarLayer", "AddLayer", "MulLayer", "SumLayer", "DivLayer", "ReciprocalLayer"]
__all__ += ["ExpLayer", "LogLayer", "SigmoidLayer"]

"""The graphs of the chapter and of appendix A, as functions for `graph_of`.

The parameters are the inputs. Their defaults are the numbers of the book, if it gives any.
"""

from collections.abc import Callable
from typing import Any

from backprop.scalar import AddLayer, ExpLayer, LogLayer, MulLayer, ReciprocalLayer, SumLayer


def apple(apple: float = 100, apple_num: float = 2, tax: float = 1.1) -> Any:
    """Return the price of two apples at 100 yen, with 10% tax. Source: book section 5.4.1."""
    apple_price = MulLayer().forward(apple, apple_num)
    price = MulLayer().forward(apple_price, tax)
    return price


def apple_orange(
    apple: float = 100, apple_num: float = 2, orange: float = 150, orange_num: float = 3, tax: float = 1.1
) -> Any:
    """Return the price of two apples and three oranges, with 10% tax. Source: book section 5.4.2."""
    apple_price = MulLayer().forward(apple, apple_num)
    orange_price = MulLayer().forward(orange, orange_num)
    all_price = AddLayer().forward(apple_price, orange_price)
    price = MulLayer().forward(all_price, tax)
    return price


def sigmoid(x: float = 1.0) -> Any:
    """Return 1 / (1 + exp(-x)), which `SigmoidLayer` computes in one node. Source: book section 5.5.2."""
    minus_x = MulLayer().forward(x, -1)
    e = ExpLayer().forward(minus_x)
    one_more = AddLayer().forward(e, 1)
    y = ReciprocalLayer().forward(one_more)
    return y


def softmax_loss(
    a1: float = 0.3, a2: float = 2.9, a3: float = 4.0, t1: float = 0, t2: float = 1, t3: float = 0
) -> Any:
    """Return the cross-entropy of softmax for three classes; t is one-hot. Source: book appendix A."""
    e1 = ExpLayer().forward(a1)
    e2 = ExpLayer().forward(a2)
    e3 = ExpLayer().forward(a3)
    S = SumLayer().forward(e1, e2, e3)
    r = ReciprocalLayer().forward(S)
    y1 = MulLayer().forward(e1, r)
    y2 = MulLayer().forward(e2, r)
    y3 = MulLayer().forward(e3, r)
    log_y1 = LogLayer().forward(y1)
    log_y2 = LogLayer().forward(y2)
    log_y3 = LogLayer().forward(y3)
    term1 = MulLayer().forward(t1, log_y1)
    term2 = MulLayer().forward(t2, log_y2)
    term3 = MulLayer().forward(t3, log_y3)
    log_likelihood = SumLayer().forward(term1, term2, term3)
    L = MulLayer().forward(log_likelihood, -1)
    return L


GRAPHS: dict[str, Callable[..., Any]] = {
    "apple": apple,
    "apple-orange": apple_orange,
    "sigmoid": sigmoid,
    "softmax-loss": softmax_loss,
}

"""A layer of your own, its gradient by hand.

    duograd gradcheck layer.py            # proves the gradient; names the line that is wrong
    duograd gradcheck layer.py --watch    # again whenever the file is saved

Put it into a network: `duograd new net my_net`, and there `from layer import snake`.
"""

import numpy as np

import duograd


def snake(x, a):
    """y = x + sin²(a x) / a, for what is periodic (Liu et al. 2020). x (B, D), a (D)."""
    y = x + np.sin(a * x) ** 2 / a

    def backward(dy):
        slope = np.sin(2 * a * x)  # of sin²(a x), by a x
        dx = dy * (1 + slope)
        da = (dy * (slope * x / a - np.sin(a * x) ** 2 / a**2)).sum(axis=0)
        return dx, {"a": da}

    return y, backward


def example_snake():
    """What gradcheck tries it on: an `a` of 0 would be divided by."""
    rng = np.random.default_rng(0)
    return rng.standard_normal((5, 3)), rng.uniform(0.5, 1.5, 3)


def test_gradient():
    """By `pytest layer.py`."""
    duograd.gradcheck(snake, *example_snake()).assert_right()

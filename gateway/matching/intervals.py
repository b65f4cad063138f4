"""Intervals of rare counts, in plain Python: Poisson and gamma tails."""

import math

_STEPS = 200
_PRECISION = 1e-12
_TINY = 1e-300


def gamma_below(shape: float, x: float) -> float:
    """P(X <= x) of a gamma variable of this shape and scale 1: the regularised incomplete gamma function P(a, x).

    By its series below a + 1 and by Lentz's continued fraction above (DLMF 8.11.4, 8.9.2).
    """
    if x <= 0:
        return 0.0
    front = math.exp(shape * math.log(x) - x - math.lgamma(shape))
    if x < shape + 1:
        term = total = 1 / shape
        for step in range(1, 10 * _STEPS):
            term *= x / (shape + step)
            total += term
            if term < total * _PRECISION:
                break
        return min(1.0, front * total)
    return max(0.0, 1 - front * _continued(shape, x))


def _continued(shape: float, x: float) -> float:
    b = x + 1 - shape
    c, d = 1 / _TINY, 1 / b
    fraction = d
    for step in range(1, 10 * _STEPS):
        a = -step * (step - shape)
        b += 2
        d = 1 / _nonzero(a * d + b)
        c = _nonzero(b + a / c)
        fraction *= d * c
        if abs(d * c - 1) < _PRECISION:
            break
    return fraction


def _nonzero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY


def gamma_quantile(shape: float, share: float) -> float:
    """The x that a gamma variable of this shape (> 0) and scale 1 does not pass with probability `share` (0..1)."""
    low, high = 0.0, shape + 20 * math.sqrt(shape) + 50
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if gamma_below(shape, middle) < share else (low, middle)
        if high - low <= _PRECISION * high:
            break
    return (low + high) / 2


def poisson_at_most(count: int, mean: float) -> float:
    """P(K <= count) of a Poisson variable of this mean; by the gamma tail: no count is too large for it."""
    return 1 - gamma_below(count + 1.0, mean) if count >= 0 else 0.0

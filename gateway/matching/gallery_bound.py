"""The proof of exactness: how far a score in single precision may lie from the truth, so that no match is dropped."""

import math

# Unit round-off of float32 (IEEE 754 binary32, to nearest), and what one product can lose where it is flushed to zero.
_U = 2.0**-24
_SMALLEST = 2.0**-126
_LOWEST = -3e38
# More than the axes' departure from orthonormal (checked when they are made) and all roundings of float64 together.
AXES_DEFECT = 2.0**-30


def head_reach(within: float, moved: float) -> float:
    """How far apart the heads of two vectors can lie that are within a distance: t' of `score_limit`'s first step."""
    return (1 + AXES_DEFECT) * within + 2 * _U * moved


def score_limit(within: float, square: float, *, terms: int, longest: float, moved: float = 0.0) -> float:
    """The least score with which a template can still lie within the distance of a probe.

    The score of a template's head a against a probe's head b is s = a·b - ½‖a‖², made by one matrix product of `terms`
    terms in float32. A template x whose score is below the limit is farther from the probe q than `within`. Proof, u
    being the unit round-off of float32:

    1. Heads are P(x - c) and Pq - Pc, computed in float64 and rounded to float32; P has orthonormal rows. Rounding
       moves them by at most 2u‖x - c‖ and 2u(‖q‖ + ‖c‖) (u for float32; float64 needs less than the other u up to
       d = 4096), so ‖x - q‖ ≤ t implies ‖a - b‖ ≤ t' = (1 + δ) t + 2u(‖x - c‖ + ‖q‖ + ‖c‖), δ = `AXES_DEFECT`.
    2. Exactly, a·b - ½‖a‖² = ½(‖b‖² - ‖a - b‖²) ≥ ½(‖b‖² - t'²).
    3. Summed in any order, fused or not, m terms err by at most γ(m) = mu / (1 - mu) of the sum of their magnitudes
       (Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., §3.1), and the stored ½‖a‖² by u of itself:
       together at most γ(m + 4) ½(‖a‖ + ‖b‖)², and m times the smallest normal number where products underflow.

    So s ≥ ½(‖b‖² - t'²) - γ(m + 4) ½(A + ‖b‖)² - m 2^-126, less what rounding the limit itself to float32 can add.
    Without rotation (a = x, b = q) the same holds with nothing moved.

    Args:
        within: t.
        square: ‖b‖², of the float32 values, computed in float64.
        terms: m, the numbers of a template that are multiplied and added.
        longest: A, at least as long as every ‖a‖.
        moved: an upper bound of ‖x - c‖ + ‖q‖ + ‖c‖ where heads were rotated.
    """
    reach = head_reach(within, moved)
    gamma = (terms + 4) * _U / (1 - (terms + 4) * _U)
    slack = gamma * 0.5 * (longest + math.sqrt(square)) ** 2 + (terms + 1) * _SMALLEST
    limit = 0.5 * (square - reach * reach) - slack
    return max(limit - 2 * _U * abs(limit), _LOWEST)

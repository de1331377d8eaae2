"""Order statistics."""

import math
from collections.abc import Sequence


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that so many percent of the values do not exceed (nearest rank).

    Args:
        values: at least one, in any order.
        percent: above 0, at most 100.
    """
    ordered = sorted(values)
    return ordered[math.ceil(percent / 100 * len(ordered)) - 1]

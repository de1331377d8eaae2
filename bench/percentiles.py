"""Order statistics."""

import math
from collections.abc import Sequence


def percentile(values: Sequence[float], percent: int) -> float:
    """The smallest value that so many percent of the values do not exceed (nearest rank).

    Args:
        values: at least one, in any order.
        percent: from 1 to 100.
    """
    ordered = sorted(values)
    return ordered[math.ceil(percent * len(ordered) / 100) - 1]

"""What ``tenantctl doctor`` found out about one part."""

from collections.abc import Sequence

import attrs

_NAMED = 5


@attrs.frozen
class Check:
    """How one part stands.

    Args:
        name: such as ``feed``.
        found: what is there, in a few words.
        faults: everything that is wrong, each with how to mend it.
        warnings: what will be wrong one day, or may be.
    """

    name: str
    found: str
    faults: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def state(self) -> str:
        """In one word."""
        if self.faults:
            return "wrong"
        return "warning" if self.warnings else "ok"


def named(names: Sequence[str]) -> str:
    """The first of many names, and how many more there are."""
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")

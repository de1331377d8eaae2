"""What a surface shows of a run."""

import attrs


@attrs.frozen
class Dialect:
    """One surface's way of showing runs in the Assistants vocabulary.

    Args:
        passing_rounds: whether functions that the gateway runs show as a passing
            ``requires_action``, ``queued`` and ``in_progress``; else the run is ``in_progress``
            throughout.
        shows_tool_calls: whether what goes into tools and comes out of them is always shown; else
            the run's head decides.
        instructions: what run objects carry.
        tools: what run objects carry, in the form of the Assistants API.
    """

    passing_rounds: bool
    shows_tool_calls: bool
    instructions: str = ""
    tools: tuple[object, ...] = ()


CONVERSATION = Dialect(passing_rounds=True, shows_tool_calls=False)
"""End users are not shown the tenant's prompt and tools, nor what goes through them."""

API = Dialect(passing_rounds=False, shows_tool_calls=True)
"""``/v1``, whose callers own the assistant; the run's instructions and tools are evolved in."""

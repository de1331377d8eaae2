"""Which models of the earlier service's time upstream serves no longer.

Source: OpenAI's page "Deprecations", as of November 2026. Frozen: this is about old documents, and
what retires later is told by looking at upstream itself.
"""

import re

CURRENT_MODEL = "gpt-6-luna"

_RETIRED = re.compile(
    r"gpt-3\.5.*|gpt-4|gpt-4-.*|gpt-4\.5.*|gpt-4o-2024-05-13|gpt-4\.1-nano.*"
    r"|o1|o1-.*|o3-mini.*|o4-mini.*|(?:text|code)-.*|davinci.*|babbage.*"
)
_RETIRING = re.compile(r"gpt-4o.*|gpt-4\.1.*")


def is_retired(model: str) -> bool:
    """Whether upstream shut this model down by the end of October 2026."""
    return _RETIRED.fullmatch(model) is not None


def is_retiring(model: str) -> bool:
    """Whether upstream shuts this model down on 14 January 2027."""
    return not is_retired(model) and _RETIRING.fullmatch(model) is not None

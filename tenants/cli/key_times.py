"""When a key ends, as an operator writes it."""

import re
import time
from datetime import UTC, datetime

import rich_click as click

_UNITS = {"m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_SPAN = re.compile(r"([0-9]{1,6})([mhdw])")


def span(text: str) -> int | None:
    """A length of time such as ``90d``, in seconds; None where it is none."""
    found = _SPAN.fullmatch(text)
    return int(found[1]) * _UNITS[found[2]] if found and int(found[1]) else None


class Span(click.ParamType[int]):
    """A length of time such as ``24h``, in seconds."""

    name = "TIME"

    def convert(
        self, value: str | int, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """See ``click.ParamType``."""
        seconds = value if isinstance(value, int) else span(value)
        if seconds is None:
            self.fail(f"{value!r} is no length of time such as 30m, 24h, 90d or 4w.", param, ctx)
        return seconds


class Expiry(click.ParamType[int | None]):
    """A length of time from now, a date, or never; in Unix seconds."""

    name = "TIME"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | None:
        """See ``click.ParamType``."""
        if value == "never":
            return None
        now = int(time.time())
        seconds = span(value)
        ends = now + seconds if seconds else _date(value)
        if ends is None:
            words = "is neither a length of time such as 90d, a date such as 2030-12-31, nor never."
            self.fail(f"{value!r} {words}", param, ctx)
        if ends <= now:
            self.fail(f"{value} is past: name a later date.", param, ctx)
        return ends


def _date(text: str) -> int | None:
    """The start of a day, or a time of day, in UTC where no zone is named."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp())

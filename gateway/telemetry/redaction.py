"""The last defence against secrets in logs: by a field's name, by a value's form, by known value.

Nobody logs secrets on purpose; this is for what slips into a field or an exception's text.
"""

import functools
import re
from collections.abc import Callable, Iterable, Iterator, MutableMapping
from typing import Any

import msgspec

REDACTED = "[redacted]"
_MARK = REDACTED.encode()
_SHORTEST_SECRET = 8

# Figures such as `prompt_tokens` and `time_to_first_token_seconds` are no secrets.
_SECRET_NAME = re.compile(
    r"(?:.*[_.-])?(?:authorization|(?:api|admin|access|private|secret)[_-]?key|token|secrets?"
    r"|password|passwd|pwd|cookies?|credentials?|signature)",
    re.IGNORECASE,
)
# The start of a word; in a line of JSON that may be behind an escaped line break or tab.
_START = rb"(?:(?<![A-Za-z0-9])|(?<=\\[nrt]))"
# Each form with a literal that every match of it holds: a search for a literal is far cheaper
# than a search for a form, and nearly all lines hold none.
_FORMS: tuple[tuple[bytes, re.Pattern[bytes], bytes], ...] = (
    (b"sk-", re.compile(_START + rb"sk-[\w-]{8,}"), _MARK),
    (b"ags_", re.compile(_START + rb"ags_[\w-]+(?:\.[\w-]+){2}"), _MARK),
    (b"agw_", re.compile(_START + rb"agw_[a-z0-9-]+_[0-9A-Za-z_]{20,}"), _MARK),
    (b"earer", re.compile(rb"(?i:bearer)\s+[\w.~+/=-]+"), b"Bearer " + _MARK),
    (b"asic", re.compile(rb"(?i:basic)\s+[\w+/-]{8,}=*"), b"Basic " + _MARK),
    (b"eyJ", re.compile(rb"eyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?"), _MARK),
    (b"://", re.compile(rb"""://[^\s/@"'\\]+@"""), b"://" + _MARK + b"@"),
    (b"=", re.compile(rb"""(?<=[?&])([\w-]*(?:token|key|secret)=)[^&\s"'\\]+"""), rb"\1" + _MARK),
    (
        b"PRIVATE KEY",
        re.compile(rb"""-----BEGIN[^-"]*PRIVATE KEY-----[^"]*?(?:-----END[^-"]*-----|(?="|$))"""),
        _MARK,
    ),
)


def redact_fields(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Blank fields that are named like a secret, and make plain what is no JSON."""
    for name, value in event.items():
        if is_secret_name(name):
            event[name] = REDACTED
        elif type(value) not in _PLAIN:
            event[name] = _plain(value)
    return event


def scrubber(secrets: Iterable[str]) -> Callable[[bytes], bytes]:
    """A function that blanks every secret in a line of the log.

    Args:
        secrets: the values that are known; shorter ones than 8 characters are passed over,
            since words of the log would match them.
    """
    long = [secret for secret in secrets if len(secret) >= _SHORTEST_SECRET]
    known = {form for secret in long for form in _forms_of(secret)}

    def scrub(line: bytes) -> bytes:
        for secret in known:
            if secret in line:
                line = line.replace(secret, _MARK)
        for literal, form, instead in _FORMS:
            if literal in line:
                line = form.sub(instead, line)
        return line

    return scrub


@functools.lru_cache(maxsize=1024)
def is_secret_name(name: str) -> bool:
    """Whether a field of this name holds a secret."""
    return _SECRET_NAME.fullmatch(name) is not None


_PLAIN = frozenset({str, int, float, bool, type(None)})


def _plain(value: Any) -> Any:  # noqa: ANN401 - anything may be logged
    """The value in JSON's types; other objects by ``repr``, which hides what they hide."""
    if type(value) in _PLAIN:
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, dict):
        return {
            str(key): REDACTED if is_secret_name(str(key)) else _plain(part)
            for key, part in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(part) for part in value]
    return repr(value)


def _forms_of(secret: str) -> Iterator[bytes]:
    """How a line may hold it: as it is, within an object's ``repr``, and either within JSON."""
    for text in (secret, repr(secret)[1:-1]):
        yield text.encode()
        yield msgspec.json.encode(text)[1:-1]

"""Takes secrets out of an earlier configuration before anything else sees it."""

import re
from collections.abc import Iterator
from typing import Any

import attrs

MARK = "[quarantined]"
KEY_FIELD = "openai_apikey"
_SHORTEST_SECRET = 8  # Shorter values would match words of the instructions.
_SECRET_NAME = re.compile(
    r"(?:.*[_.-])?(?:api_?key|(?:admin|access|private|secret)[_-]?key|token|secrets?|password"
    r"|passwd|pwd|credentials?|authorization)",
    re.IGNORECASE,
)
_SECRET_FORM = re.compile(
    r"(?<![A-Za-z0-9])sk-[\w-]{6,}"
    r"|(?<![A-Za-z0-9])agw_[a-z0-9-]+_[0-9A-Za-z_]{20,}"
    r"|(?<![A-Za-z0-9])(?:gh[opsu]_|github_pat_|xox[abps]-|AKIA|AIza)[\w-]{12,}"
    r"|eyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?"
    r"|-----BEGIN[^-]*PRIVATE KEY-----.*?(?:-----END[^-]*-----|\Z)",
    re.DOTALL,
)


@attrs.frozen
class Cleaned:
    """A value without secrets.

    Args:
        quarantined: the paths where one stood.
    """

    value: Any
    quarantined: tuple[str, ...]


def clean(raw: dict[str, Any], known: frozenset[str]) -> Cleaned:
    """Blank every secret of a configuration.

    Args:
        raw: the configuration.
        known: the names of its fields; an unknown one that is named like a secret holds one.
    """
    secrets = secret_values(raw, known)
    hidden = {key for key, value in raw.items() if _holds_secret(key, value, known)}
    found: list[str] = [scrub(key, secrets) for key in hidden]
    visible = {key: value for key, value in raw.items() if key not in hidden}
    return Cleaned(_scrubbed(visible, "", secrets, found), tuple(found))


def scrub(text: str, secrets: frozenset[str] = frozenset()) -> str:
    """The text with a mark in place of each secret.

    Args:
        text: anything.
        secrets: values that are known; short ones count only where they are the whole text.
    """
    if text in secrets:
        return MARK
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, MARK)
    return _SECRET_FORM.sub(MARK, text)


def secret_values(raw: dict[str, Any], known: frozenset[str]) -> frozenset[str]:
    """Every text under a field that holds a secret."""
    hidden = (value for key, value in raw.items() if _holds_secret(key, value, known))
    return frozenset(text for value in hidden for text in _texts(value))


def joined(path: str, key: str | int) -> str:
    """The path of what stands under a key: ``functions[0].name``."""
    if isinstance(key, int):
        return f"{path}[{key}]"
    return f"{path}.{key}" if path else key


def _holds_secret(key: str, value: Any, known: frozenset[str]) -> bool:  # noqa: ANN401  (any of JSON's types)
    named = key == KEY_FIELD or (key not in known and _SECRET_NAME.fullmatch(key) is not None)
    return named and value not in (None, "")


def _scrubbed(value: Any, path: str, secrets: frozenset[str], found: list[str]) -> Any:  # noqa: ANN401  (as above)
    match value:
        case str():
            text = scrub(value, secrets)
            if text != value:
                found.append(path)
            return text
        case list():
            return [
                _scrubbed(each, joined(path, at), secrets, found) for at, each in enumerate(value)
            ]
        case dict():
            names = {key: scrub(key, secrets) for key in value}
            found += [joined(path, name) for key, name in names.items() if name != key]
            return {
                names[key]: _scrubbed(each, joined(path, names[key]), secrets, found)
                for key, each in value.items()
            }
    return value


def _texts(value: Any) -> Iterator[str]:  # noqa: ANN401  (as above)
    match value:
        case str() if value.strip():
            yield from {value, value.strip()}
        case list():
            for each in value:
                yield from _texts(each)
        case dict():
            for key, each in value.items():
                yield from (*_texts(key), *_texts(each))

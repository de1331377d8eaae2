"""Takes secrets out of an earlier configuration before anything else sees it."""

from collections.abc import Iterator
from typing import Any

import attrs

from migrations_of_config.earlier.secret_forms import MARK, names_secret, without_secrets

KEY_FIELD = "openai_apikey"
_SHORTEST_SECRET = 8  # Shorter values would match words of the instructions.
_DESCRIBING = frozenset({"type", "anyOf", "oneOf", "allOf", "$ref", "enum", "description"})
_SAMPLES = frozenset({"const", "default", "example", "value"})


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
    return without_secrets(text)


def secret_values(raw: dict[str, Any], known: frozenset[str]) -> frozenset[str]:
    """Every text under a field that holds a secret; of inner ones those that are no short words."""
    hidden = {key: value for key, value in raw.items() if _holds_secret(key, value, known)}
    found = {text for value in hidden.values() for text in _texts(value)}
    inner = _named_texts({key: value for key, value in raw.items() if key not in hidden})
    return frozenset(found | {text for text in inner if len(text) >= _SHORTEST_SECRET})


def joined(path: str, key: str | int) -> str:
    """The path of what stands under a key: ``functions[0].name``."""
    if isinstance(key, int):
        return f"{path}[{key}]"
    return f"{path}.{key}" if path else key


def _holds_secret(key: str, value: Any, known: frozenset[str]) -> bool:  # noqa: ANN401  (any of JSON's types)
    named = key == KEY_FIELD or (key not in known and names_secret(key))
    return named and value not in (None, "")


def _parts(value: Any, named: bool) -> Iterator[tuple[str | int, Any, bool]]:  # noqa: ANN401, FBT001  (as above; no caller outside)
    """What is in a list or an object, and whether it is a secret by its name.

    What describes a value, as a function's schema does, is none, but for the values in it.
    """
    if isinstance(value, list):
        yield from ((at, each, named) for at, each in enumerate(value))
    elif isinstance(value, dict):
        whole = named and not _DESCRIBING & value.keys()
        for key, each in value.items():
            yield key, each, whole or names_secret(key) or (named and key in _SAMPLES)


def _named_texts(value: Any, named: bool = False) -> Iterator[str]:  # noqa: ANN401, FBT001, FBT002  (as above)
    """The texts that are secrets by their names."""
    if named:
        yield from _texts(value) if isinstance(value, str) else ()
    for _, each, is_named in _parts(value, named):
        yield from _named_texts(each, is_named)


def _scrubbed(
    value: Any,  # noqa: ANN401  (as above)
    path: str,
    secrets: frozenset[str],
    found: list[str],
    *,
    named: bool = False,
) -> Any:  # noqa: ANN401  (as above)
    if isinstance(value, str):
        text = MARK if named and value.strip() else scrub(value, secrets)
        if text != value:
            found.append(path)
        return text
    if not isinstance(value, list | dict):
        return value
    names = {key: scrub(key, secrets) for key in value} if isinstance(value, dict) else {}
    found += [joined(path, name) for key, name in names.items() if name != key]
    parts = {
        names.get(key, key): _scrubbed(
            each, joined(path, names.get(key, key)), secrets, found, named=is_named
        )
        for key, each, is_named in _parts(value, named)
    }
    return parts if isinstance(value, dict) else [*parts.values()]


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

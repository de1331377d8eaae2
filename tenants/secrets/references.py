"""Which secrets a tenant's document refers to."""

from collections.abc import Iterator, Mapping
from typing import Any

from tenants.fields import secret_ref
from tenants.model import SecretRef, is_secret_name


def references(raw: Mapping[str, Any]) -> frozenset[SecretRef]:
    """Every secret that a document names: as ``secret:NAME``, and for its tools.

    Args:
        raw: what TOML says; it need not be valid otherwise.
    """
    tools = raw.get("tools")
    names = tools.get("secrets") if isinstance(tools, Mapping) else None
    found = {SecretRef(name) for name in _texts(names) if is_secret_name(name)}
    for text in _texts(raw):
        try:
            found.add(secret_ref(text))
        except ValueError:
            continue
    return frozenset(found)


def _texts(value: Any) -> Iterator[str]:  # noqa: ANN401  (any of TOML's types)
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part)

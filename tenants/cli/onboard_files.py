"""The files of a tenant that is onboarded: a directory's, an earlier configuration's, or new."""

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs

from migrations_of_config import toml
from migrations_of_config.earlier.models import CURRENT_MODEL
from migrations_of_config.earlier.report import Lost, Quarantined, Todo
from tenants.cli.import_files import read
from tenants.documents import FILE
from tenants.model import DEFAULT_INSTRUCTIONS, SCHEMA_VERSION
from tenants.releases.files import collect

_SECRET = "secret:openai-api-key"  # noqa: S105  (a reference)


@attrs.frozen
class Wishes:
    """What the operator says of the new tenant; None: nothing.

    Args:
        upstream: the base URL of the tenant's own account.
    """

    name: str | None = None
    model: str | None = None
    instructions: str | None = None
    upstream: str | None = None


@attrs.frozen
class Found:
    """A new tenant's files.

    Args:
        files: by name.
        notices: what the operator should know of them.
    """

    files: Mapping[str, bytes]
    notices: tuple[str, ...] = ()


def files_of(tenant_id: str, place: Path | None, wishes: Wishes) -> Found:
    """A new tenant's files, with what the operator wishes.

    Args:
        tenant_id: of the new tenant.
        place: a tenant's directory, an earlier configuration, or None: neither.
        wishes: win over what stands there.

    Raises:
        EarlierConfigError: the earlier configuration cannot be read; with all that is wrong.
        CliError: as above, for what it is.
        OSError: as above.
    """
    if place is None:
        return Found(_new(tenant_id, wishes))
    found = Found(collect(place.resolve()).files) if place.is_dir() else _earlier(tenant_id, place)
    return _with(found, tenant_id, wishes)


def default_name(tenant_id: str) -> str:
    """How people call a tenant of whom nothing else is known."""
    return tenant_id.replace("-", " ").title()


def default_instructions(name: str) -> str:
    """What an assistant is told of whom nothing else is known."""
    return f"You are the assistant of {name}. Be helpful and brief. Where you do not know, say so."


def _new(tenant_id: str, wishes: Wishes) -> dict[str, bytes]:
    name = wishes.name or default_name(tenant_id)
    document: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "tenant_id": tenant_id,
        "display_name": name,
        "assistant": {"id": f"asst_{tenant_id}"[:64], "model": wishes.model or CURRENT_MODEL},
    }
    if wishes.upstream:
        document["upstream"] = {"base_url": wishes.upstream, "api_key": _SECRET}
    instructions = wishes.instructions or default_instructions(name)
    return {
        FILE: toml.dumps(document).encode(),
        DEFAULT_INSTRUCTIONS: f"{instructions.strip()}\n".encode(),
    }


def _earlier(tenant_id: str, file: Path) -> Found:
    imported = read(file, tenant_id, None)
    notices = [f"{file}: {imported.generation} of the earlier service"]
    for each in imported.entries:
        match each:
            case Lost(notice=False):
                notices.append(f"without a place: {each.source} = {each.value} ({each.reason})")
            case Quarantined():
                notices.append(f"quarantined: {each.source}")
            case Todo():
                notices.append(f"to do: {each.text}")
    files = {name: text.encode() for name, text in imported.files.items()}
    return Found(files, tuple(notices))


def _with(found: Found, tenant_id: str, wishes: Wishes) -> Found:
    """The files with what the operator wishes; a document that is no TOML stays as it is."""
    try:
        document = tomllib.loads(found.files.get(FILE, b"").decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return found
    changes = [*_changes(document, tenant_id, wishes)]
    changed = {**found.files}
    for path, value in changes:
        table = document
        for key in path[:-1]:
            table = table.setdefault(key, {})
        table[path[-1]] = value
    if changes:
        changed[FILE] = toml.dumps(document).encode()
    if wishes.instructions:
        name = document.get("assistant", {}).get("instructions_file", DEFAULT_INSTRUCTIONS)
        changed[name] = f"{wishes.instructions.strip()}\n".encode()
    notices = (f"{'.'.join(path)} is written as {value}" for path, value in changes)
    return Found(changed, (*found.notices, *notices))


def _changes(
    document: Mapping[str, Any], tenant_id: str, wishes: Wishes
) -> Iterator[tuple[tuple[str, ...], str]]:
    if document.get("tenant_id") not in {None, tenant_id}:
        yield ("tenant_id",), tenant_id
    if wishes.name:
        yield ("display_name",), wishes.name
    if wishes.model and isinstance(document.get("assistant"), dict):
        yield ("assistant", "model"), wishes.model
    if wishes.upstream and isinstance(document.get("upstream", {}), dict):
        yield ("upstream", "base_url"), wishes.upstream
        if "api_key" not in document.get("upstream", {}):
            yield ("upstream", "api_key"), _SECRET

"""What a command says when something went wrong: words for people, objects for programs."""

import contextlib
import difflib
from collections.abc import Iterator
from typing import Any

import attrs

from migrations_of_config.errors import EarlierConfigError
from tenants.cli.errors import UnprintedError
from tenants.cli.output import Output
from tenants.cli.registry import opened, unpublished
from tenants.cli.words import told
from tenants.errors import InvalidTenantError, TenantsError, UnknownTenantError
from tenants.registry import layout


def tell(error: Exception, registry: str | None, *, as_json: bool) -> None:
    """Print an error, with the nearest ids where a tenant is not known.

    Args:
        error: any.
        registry: that the command works on, where it works on one.
        as_json: print an object in place of words.
    """
    lines = told(error).splitlines()
    if isinstance(error, UnknownTenantError) and registry is not None:
        lines += _meant(error.tenant_id, registry)
    as_json = as_json and not isinstance(error, UnprintedError)
    Output(as_json=as_json).refused({"errors": _errors(error, lines)}, lines)


def _meant(tenant_id: str, registry: str) -> Iterator[str]:
    with contextlib.suppress(TenantsError):
        published = {layout.tenant_of(each.name) for each in opened(registry).list(layout.POINTERS)}
        known = published.union(unpublished(registry, published))
        if near := difflib.get_close_matches(tenant_id, known):
            yield f"Did you mean {' or '.join(near)}?"


def _errors(error: Exception, lines: list[str]) -> list[dict[str, Any]]:
    match error:
        case InvalidTenantError() | EarlierConfigError():
            return [attrs.asdict(fault) for fault in error.faults]
        case _:
            return [{"field": "", "message": " ".join(lines)}]

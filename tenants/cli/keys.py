"""``tenantctl keys``: a tenant's API keys."""

import sys
import time
from typing import Any

import rich_click as click

from tenants.cli.admin_api import AdminApi
from tenants.cli.errors import RefusedError
from tenants.cli.frame import Command, Group
from tenants.cli.key_times import Expiry, Span
from tenants.cli.options import (
    changing,
    gateway_option,
    json_option,
    registry_option,
    tenant_argument,
    yes_option,
)
from tenants.cli.output import Line, Output, date
from tenants.cli.registry import intent, opened
from tenants.cli.stopping import finishing
from tenants.keys import SCOPES, Scope
from tenants.registry.stored import StoredKey
from tenants.releases import keyrings
from tenants.releases.errors import UnknownKeyError
from tenants.releases.key_records import alive
from tenants.releases.keyrings import IssuedKey

_COLUMNS = ("id", "scope", "state", "created", "expires", "last used", "note")
_DAY_SECONDS = 86_400
_expires_option = click.option(
    "--expires",
    type=Expiry(),
    default="never",
    show_default=True,
    metavar="TIME",
    help="When it dies: 90d, 12h, a date such as 2030-12-31, or never.",
)


@click.group(cls=Group)
def keys() -> None:
    """Issue, list, rotate and revoke a tenant's API keys.

    A key is shown once; the registry keeps its hash alone. Every replica knows of a change within
    10 seconds.

    Example: tenantctl keys issue acme --scope chat --expires 90d
    """


@keys.command(cls=Command)
@tenant_argument()
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice(SCOPES),
    default=("chat",),
    show_default="chat",
    help="What it reaches; repeat it for several. None includes another.",
)
@_expires_option
@changing
def issue(  # noqa: PLR0913  (each is an option)
    tenant_id: str,
    scopes: tuple[Scope, ...],
    *,
    expires: int | None,
    note: str,
    by: str,
    registry: str,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Issue a key and print it, this once.

    chat: conversations, runs and sessions. history: reading and deleting threads. manage: writing
    assistants, files and vector stores.

    Example: tenantctl keys issue acme --scope chat --scope history --expires 90d
    """
    output = Output(as_json=as_json)
    objects = opened(registry)
    scopes = tuple(dict.fromkeys(scopes))
    if dry_run:
        keyrings.keys(objects, tenant_id)  # There is such a tenant.
        words = f"{tenant_id} would get a key for {' '.join(scopes)}, expiring: {date(expires)}."
        output.done({"tenant_id": tenant_id, "dry_run": True}, [words])
        return
    with finishing(f"issuing a key of {tenant_id}"):
        issued = keyrings.issue(objects, tenant_id, scopes, intent(by, note), expires_at=expires)
    output.done(issued_json(tenant_id, issued), issued_lines(tenant_id, issued))
    sys.exit(1 if issued.unannounced else 0)


@keys.command("list", cls=Command)
@tenant_argument()
@gateway_option(
    "A gateway that knows when keys were last used; with GATEWAY_ADMIN_KEY.", wanted=False
)
@registry_option
@json_option
def list_keys(tenant_id: str, gateway: str | None, registry: str, *, as_json: bool) -> None:
    """List a tenant's keys, dead ones too; never the keys themselves.

    Example: tenantctl keys list acme --json
    """
    output = Output(as_json=as_json)
    found = keyrings.keys(opened(registry), tenant_id)
    used = AdminApi.from_environment(gateway).last_used(tenant_id) if gateway else {}
    now = time.time()
    rows = [
        (
            each.id,
            each.scope,
            _state(each, now),
            date(each.created_at),
            date(each.expires_at),
            date(used.get(each.id)) if gateway else "",
            each.note,
        )
        for each in found
    ]
    if rows:
        output.table(_COLUMNS, rows)
    output.done(
        [_json(each, now) | {"last_used_at": used.get(each.id)} for each in found],
        [] if rows else [f"{tenant_id} has no keys: tenantctl keys issue {tenant_id} makes one."],
    )


@keys.command(cls=Command)
@tenant_argument()
@click.argument("key_id", metavar="KEY_ID")
@click.option(
    "--overlap",
    type=Span(),
    default=_DAY_SECONDS,
    show_default="24h",
    metavar="TIME",
    help="For how long the old key goes on.",
)
@_expires_option
@changing
def rotate(  # noqa: PLR0913  (each is an option)
    tenant_id: str,
    key_id: str,
    *,
    overlap: int,
    expires: int | None,
    note: str,
    by: str,
    registry: str,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Issue a key of the same scopes and print it, this once; the old one dies after the overlap.

    Example: tenantctl keys rotate acme key_Zk3v8QmW2hT5xNcB --overlap 4h
    """
    output = Output(as_json=as_json)
    objects = opened(registry)
    wanted = intent(by, note)
    old = _key(keyrings.keys(objects, tenant_id), tenant_id, key_id)
    ends = min(filter(None, (old.expires_at, wanted.now + overlap)))
    fate = f"{key_id} dies at {date(ends)}."
    if dry_run:
        fate = fate if alive(old, wanted.now) else f"{key_id} is dead: issue a new one."
        output.done({"tenant_id": tenant_id, "dry_run": True, "replaces": key_id}, [fate])
        return
    with finishing(f"rotating a key of {tenant_id}"):
        issued = keyrings.rotate(
            objects, tenant_id, key_id, wanted, overlap_seconds=overlap, expires_at=expires
        )
    output.done(
        issued_json(tenant_id, issued) | {"replaces": key_id, "replaced_expires_at": ends},
        [*issued_lines(tenant_id, issued), fate],
    )
    sys.exit(1 if issued.unannounced else 0)


@keys.command(cls=Command)
@tenant_argument()
@click.argument("key_id", metavar="KEY_ID")
@yes_option
@changing
def revoke(  # noqa: PLR0913  (each is an option)
    tenant_id: str,
    key_id: str,
    *,
    yes: bool,
    note: str,
    by: str,
    registry: str,
    dry_run: bool,
    as_json: bool,
) -> None:
    """End a key, and the sessions that it issued, for good: everywhere within 10 seconds.

    A terminal is asked first. In a script the key's id says enough.

    Example: tenantctl keys revoke acme key_Zk3v8QmW2hT5xNcB
    """
    output = Output(as_json=as_json)
    objects = opened(registry)
    key = _key(keyrings.keys(objects, tenant_id), tenant_id, key_id)
    output.lines([f"{key_id} of {tenant_id}, for {key.scope}, made {date(key.created_at)}."])
    if dry_run:
        output.done(
            {"tenant_id": tenant_id, "id": key_id, "dry_run": True}, ["It would be revoked."]
        )
        return
    if output.interactive and not output.ask("Revoke it for good?", yes=yes):
        raise RefusedError(f"{key_id} was not revoked")
    with finishing(f"revoking a key of {tenant_id}"):
        revoked = keyrings.revoke(objects, tenant_id, key_id, intent(by, note))
    output.done(
        {"tenant_id": tenant_id, **_json(revoked, time.time())},
        [(f"{key_id} is revoked.", "bold green")],
    )


def issued_json(tenant_id: str, issued: IssuedKey) -> dict[str, Any]:
    """A new key for programs: the one time that it is told."""
    return {
        "tenant_id": tenant_id,
        "key": issued.text,
        "announced": not issued.unannounced,
        **_json(issued.record, time.time()),
    }


def issued_lines(tenant_id: str, issued: IssuedKey) -> list[Line]:
    """A new key for people: the one time that it is told."""
    key = issued.record
    return [
        f"{key.id} of {tenant_id}, for {key.scope}, expires: {date(key.expires_at)}",
        (issued.text, "bold"),
        f"It is shown this once: put it where secrets are kept. {_when(issued)}",
    ]


def _when(issued: IssuedKey) -> str:
    if issued.unannounced:
        return (
            f"Gateways take it within 5 minutes, since they could not be told of it: "
            f"{issued.unannounced}"
        )
    return "Gateways take it within 10 seconds."


def _key(found: tuple[StoredKey, ...], tenant_id: str, key_id: str) -> StoredKey:
    for each in found:
        if each.id == key_id:
            return each
    raise UnknownKeyError(tenant_id, key_id)


def _state(key: StoredKey, now: float) -> str:
    if alive(key, now):
        return "live"
    return "revoked" if key.revoked_at is not None else "expired"


def _json(key: StoredKey, now: float) -> dict[str, Any]:
    return {
        "id": key.id,
        "scope": key.scope,
        "state": _state(key, now),
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
        "note": key.note,
    }

"""``tenantctl secrets``: the secrets that tenants' documents refer to."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import rich_click as click

from tenants.cli.errors import NoSuchSecretError, UnfinishedError, UnwritableSecretsError
from tenants.cli.frame import Command, Group
from tenants.cli.options import json_option, registry_option, tenant_argument
from tenants.cli.output import Output, date
from tenants.cli.registry import opened
from tenants.cli.secrets_named import Needed, needed
from tenants.cli.secrets_option import opened_lister, opened_writer, secrets_option
from tenants.cli.secrets_value import read_value
from tenants.errors import SecretsUnavailableError
from tenants.model import is_secret_name
from tenants.secrets.places import SecretPlace
from tenants.secrets.stored import SecretLister, SecretWriter, StoredSecret

T = TypeVar("T")
L = TypeVar("L", bound=SecretLister)


class SecretName(click.ParamType[str]):
    """A secret's name."""

    name = "NAME"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """See ``click.ParamType``; what is refused is not quoted, since it may be a secret."""
        if not is_secret_name(value):
            self.fail(
                "a secret's name is lower-case words and digits, joined by single hyphens, such"
                " as openai-api-key. Its value comes from standard input.",
                param,
                ctx,
            )
        return value


def _no_values(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> None:
    """Refuse what is given behind the name, and do not quote it, as click itself would."""
    if values:
        raise click.UsageError(
            "Nothing comes behind the name: a value on the command line is seen by others, and"
            " kept by the shell. Give it on standard input."
        )


_name_argument = click.argument("name", metavar="NAME", type=SecretName())
_no_value_argument = click.argument(
    "value", nargs=-1, metavar="", expose_value=False, callback=_no_values
)


@click.group(cls=Group)
def secrets() -> None:
    """Set, list and rotate the secrets that a tenant's document refers to.

    A value is read from standard input, or typed unseen; it is never shown.

    Example: tenantctl secrets set acme openai-api-key < key.txt
    """


@secrets.command("set", cls=Command)
@tenant_argument()
@_name_argument
@_no_value_argument
@secrets_option
@json_option
def set_(tenant_id: str, name: str, secrets: SecretPlace, *, as_json: bool) -> None:
    """Give a secret its value, or a new one.

    In Secret Manager that is a new version; in a directory the file is replaced. Gateways take a
    new value within 5 minutes, and at once when its upstream refuses the old one.

    Example: tenantctl secrets set acme openai-api-key < key.txt
    """
    writer = _writer(secrets, tenant_id, name)
    version = asyncio.run(_with(writer, _write(tenant_id, name, read_value())))
    Output(as_json=as_json).done(
        _written(tenant_id, name, secrets, version),
        [(f"{tenant_id}: {name} is set, in {secrets.home(tenant_id, name)}.", "bold green")],
    )


@secrets.command(cls=Command)
@tenant_argument()
@_name_argument
@_no_value_argument
@secrets_option
@registry_option
@json_option
def rotate(
    tenant_id: str, name: str, secrets: SecretPlace, registry: str, *, as_json: bool
) -> None:
    """Give a secret that there is a new value, and put older ones out of use.

    In Secret Manager the version before stays enabled, as the way back, and so does one that
    tenant.toml names by its number; the others are disabled, and none is destroyed. Make the new
    key at its issuer first, rotate, and end the old key there afterwards: no run fails meanwhile.

    Example: tenantctl secrets rotate acme openai-api-key < new-key.txt
    """
    writer = _writer(secrets, tenant_id, name)
    wanted = needed(opened(registry), tenant_id)

    async def work(store: SecretWriter) -> tuple[int, tuple[int, ...]]:
        if name not in [each.name for each in await store.stored(tenant_id)]:
            raise NoSuchSecretError(tenant_id, name)
        version = await store.write(tenant_id, name, read_value())
        if not wanted.known:
            return version, ()  # Any version may be in use.
        try:
            return version, await store.retire(tenant_id, name, wanted.versions(name))
        except SecretsUnavailableError as error:
            done = f"version {version} is written, and in use."
            remedy = "disable the versions that are no longer used in the store itself."
            raise UnfinishedError(done, str(error), remedy) from None

    version, disabled = asyncio.run(_with(writer, work))
    home = secrets.home(tenant_id, name)
    lines = [f"Disabled: version {number}." for number in disabled]
    if not wanted.known:
        lines.append(f"Nothing was disabled: no document says which versions {tenant_id} uses.")
    Output(as_json=as_json).done(
        _written(tenant_id, name, secrets, version) | {"disabled": disabled},
        [(f"{tenant_id}: {name} is rotated, in {home}.", "bold green"), *lines],
    )


@secrets.command("list", cls=Command)
@tenant_argument()
@click.argument("name", metavar="[NAME]", type=SecretName(), required=False)
@secrets_option
@registry_option
@json_option
def list_secrets(
    tenant_id: str, name: str | None, secrets: SecretPlace, registry: str, *, as_json: bool
) -> None:
    """List a tenant's secrets, and those that its document refers to; never a value.

    With NAME: every version of that one.

    Example: tenantctl secrets list acme
    """
    output = Output(as_json=as_json)
    found = asyncio.run(_with(opened_lister(secrets), lambda store: store.stored(tenant_id)))
    wanted = needed(opened(registry), tenant_id)
    rows = [*_rows(found, wanted, name)]
    if rows:
        columns = ("name", "version", "state", "created", "in tenant.toml")
        output.table(columns, [_cells(row) for row in rows])
    none = f"{tenant_id} has no {f'secret {name}' if name else 'secrets'} in {secrets.described}."
    output.done(rows, [] if rows else [none])


def _rows(
    found: tuple[StoredSecret, ...], wanted: Needed, name: str | None
) -> list[dict[str, Any]]:
    """The newest version of each secret, or every version of one; then what is missing."""
    rows = [
        {
            "name": each.name,
            "version": version.number,
            "state": version.state,
            "created_at": version.created_at,
            "referred_to": wanted.says(each.name),
        }
        for each in found
        for version in (each.versions if name else each.versions[:1])
    ]
    there = {row["name"] for row in rows}
    missing = [
        {"name": each, "version": None, "state": "missing", "created_at": None, "referred_to": True}
        for each in sorted(wanted.names - there)
    ]
    return [row for row in rows + missing if name in {None, row["name"]}]


def _cells(row: dict[str, Any]) -> list[str]:
    referred = {True: "yes", False: "no", None: "unknown"}[row["referred_to"]]
    created = date(row["created_at"], "")
    return [row["name"], str(row["version"] or ""), row["state"], created, referred]


def _writer(place: SecretPlace, tenant_id: str, name: str) -> SecretWriter:
    writer = opened_writer(place)
    if writer is None:
        raise UnwritableSecretsError(place.home(tenant_id, name))
    return writer


def _write(tenant_id: str, name: str, value: str) -> Callable[[SecretWriter], Awaitable[int]]:
    return lambda store: store.write(tenant_id, name, value)


async def _with(store: L, work: Callable[[L], Awaitable[T]]) -> T:
    try:
        return await work(store)
    finally:
        await store.close()


def _written(tenant_id: str, name: str, place: SecretPlace, version: int) -> dict[str, Any]:
    return {"tenant_id": tenant_id, "name": name, "secrets": str(place), "version": version}

"""``tenantctl onboard``: a tenant created, its first revision published, its first key issued."""

import json
import shlex
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any

import attrs
import rich_click as click

from migrations_of_config.earlier.models import CURRENT_MODEL
from tenants.cli.diffs import shown
from tenants.cli.errors import RefusedError, UnfinishedError
from tenants.cli.frame import Command
from tenants.cli.keys import issued_lines
from tenants.cli.onboard_files import (
    Found,
    Wishes,
    default_instructions,
    default_name,
    files_of,
)
from tenants.cli.options import (
    changing,
    gateway_option,
    private_upstreams_option,
    tenant_argument,
    yes_option,
)
from tenants.cli.output import Line, Output
from tenants.cli.registry import intent, opened, preparing
from tenants.cli.stopping import finishing
from tenants.cli.words import told
from tenants.documents import FILE, readable
from tenants.errors import TenantsError, UnknownTenantError
from tenants.knowledge import standing
from tenants.registry.objects import Objects, ObjectsUnavailableError
from tenants.registry.stored import Pointer
from tenants.releases import keyrings, publishing
from tenants.releases.differing import differences
from tenants.releases.errors import (
    ContendedError,
    TenantExistsError,
    UnannouncedError,
    WorkingFormError,
)
from tenants.releases.keyrings import IssuedKey
from tenants.releases.pointers import Intent
from tenants.releases.reading import show
from tenants.releases.release import Release, prepare
from tenants.secrets.references import references


def _instructions(_: click.Context, __: click.Parameter, text: str | None) -> str | None:
    if text is None or not text.startswith("@"):
        return text
    try:
        return Path(text[1:]).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise click.BadParameter(f"{text[1:]} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise click.BadParameter(f"{text[1:]} is not UTF-8: save it as UTF-8.") from None


@click.command(cls=Command)
@tenant_argument()
@click.option(
    "--from",
    "place",
    type=click.Path(exists=True, path_type=Path),
    metavar="DIR|FILE",
    help="A tenant's directory, or configuration of the earlier service of any generation.",
)
@click.option("--name", help="How people call the tenant.")
@click.option("--model", help=f"The assistant's model.  [default: {CURRENT_MODEL}]")
@click.option(
    "--instructions", metavar="TEXT|@FILE", callback=_instructions, help="The assistant's prompt."
)
@click.option(
    "--upstream-base-url",
    metavar="URL",
    help="The tenant's own account; its key is the secret openai-api-key.",
)
@gateway_option(
    "Where the gateway is, for the URLs that are printed; it is not asked.", wanted=True
)
@private_upstreams_option
@yes_option
@changing
def onboard(  # noqa: PLR0913  (each is an option)
    tenant_id: str,
    *,
    place: Path | None,
    name: str | None,
    model: str | None,
    instructions: str | None,
    upstream_base_url: str | None,
    gateway: str,
    yes: bool,
    dry_run: bool,
    note: str,
    by: str,
    private_upstreams: AbstractSet[str],
    registry: str,
    as_json: bool,
) -> None:
    """Create a tenant: publish its first revision, issue its first key, and say how to talk to it.

    On a terminal it asks for what is missing, shows what it will do, and asks once more. Where it
    was stopped half way, the same command goes on. The key is shown this once.

    Example: tenantctl onboard acme --name "Acme Support" --model gpt-6-luna
    """
    output = Output(as_json=as_json)
    objects = opened(registry)
    pointer = _begun(objects, tenant_id)
    notices: tuple[str, ...] = ()
    to_do: tuple[str, ...] = ()
    files: list[str] = []
    if pointer is None:
        wishes = Wishes(name, model, instructions, upstream_base_url)
        if place is None and output.interactive and not yes:
            wishes = _asked(tenant_id, wishes)
        found = files_of(tenant_id, place, wishes)
        release = prepare(tenant_id, found.files, preparing(private_upstreams), before={})
        to_do = (
            *standing.notices(tenant_id, release.files),
            *_needed(tenant_id, release.files),
        )
        notices, files = (*found.notices, *to_do), sorted(release.files)
        output.lines(_plan(tenant_id, registry, found))
    else:
        output.lines([f"{tenant_id} was published before, as revision 1; now for its first key."])
    if dry_run:
        report = {"id": tenant_id, "dry_run": True, "files": files, "notices": notices}
        output.done(report, ["Nothing was done: a dry run."])
        return
    if output.interactive and not output.ask("Do it?", yes=yes):
        raise RefusedError(f"{tenant_id} was not created")
    wanted = intent(by, note)
    with finishing(f"creating {tenant_id}"):
        pointer = pointer or _created(objects, release, wanted)
        issued = _first_key(objects, tenant_id, wanted)
    urls = _urls(gateway, tenant_id)
    output.done(
        {
            "id": tenant_id,
            "revision": pointer.revision,
            "key": issued.text,
            "key_id": issued.record.id,
            "urls": urls,
            "notices": notices,
        },
        _farewell(tenant_id, pointer, issued, urls, to_do),
    )


def _needed(tenant_id: str, files: Mapping[str, bytes]) -> Iterator[str]:
    """The secrets that somebody has to set, unless they are there."""
    raw = readable(files[FILE].decode("utf-8-sig"))
    for name in sorted({each.name for each in references(raw)}):
        yield f"It needs a secret: tenantctl secrets set {tenant_id} {name} < FILE"


def _begun(objects: Objects, tenant_id: str) -> Pointer | None:
    """The pointer of a tenant that was created and has no key yet.

    Raises:
        TenantExistsError: there is a tenant, and it is whole.
    """
    try:
        held = show(objects, tenant_id)
    except UnknownTenantError:
        return None
    except WorkingFormError:
        raise TenantExistsError(tenant_id) from None
    if held.pointer.revision != 1 or keyrings.keys(objects, tenant_id):
        raise TenantExistsError(tenant_id)
    return held.pointer


def _asked(tenant_id: str, wishes: Wishes) -> Wishes:
    """What is missing, as somebody at a terminal says."""
    name = wishes.name or click.prompt("Name", default=default_name(tenant_id))
    model = wishes.model or click.prompt("Model", default=CURRENT_MODEL)
    instructions = wishes.instructions or click.prompt(
        "Instructions", default=default_instructions(name)
    )
    account = "The tenant's own account, a base URL (Enter: the operator's)"
    upstream = wishes.upstream or click.prompt(account, default="", show_default=False)
    return attrs.evolve(
        wishes, name=name, model=model, instructions=instructions, upstream=upstream or None
    )


def _plan(tenant_id: str, registry: str, found: Found) -> Iterator[Line]:
    yield from ((notice, "yellow") for notice in found.notices)
    yield from shown(differences({}, found.files))
    yield f"{tenant_id} is to be created in {registry}, with a key for chat.", "bold"


def _created(objects: Objects, release: Release, wanted: Intent) -> Pointer:
    """The pointer of the tenant's first revision."""
    try:
        return publishing.create(objects, release, wanted).held.pointer
    except (ContendedError, UnannouncedError, ObjectsUnavailableError) as error:
        done = f"perhaps the files of {release.tenant_id}, perhaps its first revision; no key."
        raise UnfinishedError(done, told(error), "the same command once more") from error


def _first_key(objects: Objects, tenant_id: str, wanted: Intent) -> IssuedKey:
    try:
        return keyrings.issue(objects, tenant_id, ("chat",), wanted)
    except TenantsError as error:
        done = f"{tenant_id} is published as revision 1, and has no key that you know."
        raise UnfinishedError(done, told(error), f"tenantctl keys issue {tenant_id}") from error


def _urls(gateway: str, tenant_id: str) -> dict[str, str]:
    place = f"{gateway}/t/{tenant_id}"
    socket = place.replace("http", "ws", 1)
    return {"page": f"{place}/", "chat": f"{place}/chat", "websocket": f"{socket}/ws/chat"}


def _farewell(
    tenant_id: str,
    pointer: Pointer,
    issued: IssuedKey,
    urls: dict[str, str],
    to_do: tuple[str, ...],
) -> Iterator[Line]:
    yield f"{tenant_id}: revision {pointer.revision} is in force.", "bold green"
    yield from ((each, "yellow") for each in to_do)
    yield from issued_lines(tenant_id, issued)
    yield from (f"{name:<10}{url}" for name, url in urls.items())
    yield "Try it:"
    yield f"  {_curl(urls['chat'], issued.text)}"


def _curl(url: str, key: str) -> str:
    body: dict[str, Any] = {"message": "Hello, who are you?"}
    headers = ("content-type: application/json", f"authorization: Bearer {key}")
    options = [word for header in headers for word in ("-H", header)]
    return shlex.join(["curl", "-sS", url, *options, "-d", json.dumps(body)])

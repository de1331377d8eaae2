"""``tenantctl doctor``: what is wrong on the operator's side, and how to mend it."""

import os
import sys
from collections.abc import Iterator
from collections.abc import Set as AbstractSet

import attrs
import rich_click as click

from tenants.cli.doctor_feed import look_at_feed
from tenants.cli.doctor_models import Account, look_at_models
from tenants.cli.doctor_registry import Tenants, look_at_tenants, look_at_writing
from tenants.cli.doctor_secrets import look_at_secrets
from tenants.cli.doctor_view import Check
from tenants.cli.frame import Command
from tenants.cli.options import TenantId, json_option, private_upstreams_option, registry_option
from tenants.cli.output import Line, Output
from tenants.cli.registry import opened
from tenants.cli.secrets_option import secrets_option
from tenants.secrets.places import SecretPlace

OPENAI = "https://api.openai.com/v1"


@click.command(cls=Command)
@click.option("--tenant", "tenant_id", type=TenantId(), help="Look at this tenant alone.")
@click.option("--read-only", is_flag=True, help="Write nothing, not even to try it.")
@secrets_option
@private_upstreams_option
@registry_option
@json_option
def doctor(  # noqa: PLR0913  (each is an option)
    tenant_id: str | None,
    *,
    read_only: bool,
    secrets: SecretPlace,
    private_upstreams: AbstractSet[str],
    registry: str,
    as_json: bool,
) -> None:
    """Say what is wrong with registry, secrets and models, and how to mend it.

    Looks whether the registry can be written and keeps compare-and-swap (by an object that it
    deletes again), whether its feed and each tenant's revision and keys are whole, whether the
    secrets that tenants refer to are there, and whether upstream still serves their models: of the
    account in OPENAI_API_KEY and OPENAI_BASE_URL. Exits 0 where nothing is wrong; what will be
    wrong one day is a warning.

    Example: tenantctl doctor --tenant acme
    """
    output = Output(as_json=as_json)
    objects = opened(registry)
    checks = [look_at_feed(objects)]
    if not read_only:
        checks.append(look_at_writing(objects))
    tenants = Tenants(registry, objects, private_upstreams, tenant_id)
    good, check = look_at_tenants(tenants, output)
    account = Account(
        os.environ.get("OPENAI_BASE_URL", "").strip() or OPENAI,
        os.environ.get("OPENAI_API_KEY", "").strip(),
    )
    checks += [check, look_at_secrets(secrets, good), look_at_models(account, good)]
    sound = not any(each.faults for each in checks)
    output.table(
        ("check", "state", "found"), [(each.name, each.state, each.found) for each in checks]
    )
    output.done(
        {"ok": sound, "checks": [attrs.asdict(each) | {"state": each.state} for each in checks]},
        _lines(checks, sound=sound),
    )
    sys.exit(0 if sound else 1)


def _lines(checks: list[Check], *, sound: bool) -> Iterator[Line]:
    for check in checks:
        yield from ((f"{check.name}: {each}", "red") for each in check.faults)
        yield from ((f"{check.name}: {each}", "yellow") for each in check.warnings)
    if sound:
        yield "Nothing is wrong.", "bold green"

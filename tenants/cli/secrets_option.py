"""``--secrets``: the store of secrets that a command works on."""

import os
from collections.abc import Mapping

import rich_click as click

from tenants.cli.options import Decorated
from tenants.ports import SecretStore
from tenants.secrets import opening
from tenants.secrets.places import SecretPlace
from tenants.secrets.stored import SecretLister, SecretWriter

_EMULATOR = "SECRET_MANAGER_EMULATOR_HOST"


def default_secrets(environ: Mapping[str, str]) -> str:
    """The store of who names none, as the gateway has it."""
    if place := environ.get("GATEWAY_SECRETS", "").strip():
        return place
    project = environ.get("PROJECT_ID", "").strip()
    production = environ.get("ENVIRONMENT", "").strip().lower() == "production"
    return f"gcp:{project}" if project and production else "env"


def secrets_option(command: Decorated) -> Decorated:
    """``--secrets``, which the functions below open."""
    return click.option(
        "--secrets",
        metavar="PLACE",
        default=lambda: default_secrets(os.environ),
        callback=_place,
        show_default="$GATEWAY_SECRETS, else env",
        help="Where secrets are: env, dir:PATH or gcp:PROJECT.",
    )(command)


def opened_secrets(place: str) -> SecretStore:
    """The store at a place, to read values from as they are now."""
    return opening.open_store(SecretPlace.parse(place), os.environ, _emulator())


def opened_lister(place: str) -> SecretLister:
    """The store at a place, to see what there is."""
    return opening.open_lister(SecretPlace.parse(place), os.environ, _emulator())


def opened_writer(place: str) -> SecretWriter | None:
    """The store at a place, to write to; None where this process cannot."""
    return opening.open_writer(SecretPlace.parse(place), _emulator())


def _emulator() -> str | None:
    return os.environ.get(_EMULATOR, "").strip() or None


def _place(_: click.Context, __: click.Parameter, text: str) -> str:
    try:
        SecretPlace.parse(text)
    except ValueError as error:
        raise click.BadParameter(f"write {error}.") from None
    return text

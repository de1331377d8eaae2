"""Where a command finds tenants' secrets."""

import os
from collections.abc import Mapping

import rich_click as click

from tenants.cli.options import Decorated
from tenants.ports import SecretStore
from tenants.secrets.opening import open_lister, open_store, open_writer
from tenants.secrets.places import SecretPlace
from tenants.secrets.stored import SecretLister, SecretWriter


def default_place(environ: Mapping[str, str]) -> str:
    """The secrets of who names none, as the gateway has them."""
    if place := environ.get("GATEWAY_SECRETS", "").strip():
        return place
    project = environ.get("PROJECT_ID", "").strip()
    production = environ.get("ENVIRONMENT", "").strip().lower() == "production"
    return f"gcp:{project}" if project and production else "env"


def secrets_option(command: Decorated) -> Decorated:
    """``--secrets``, given to the command as a place."""
    return click.option(
        "--secrets",
        metavar="PLACE",
        default=lambda: default_place(os.environ),
        show_default="$GATEWAY_SECRETS, else env",
        callback=_place,
        help="Where tenants' secrets are: env, dir:PATH or gcp:PROJECT.",
    )(command)


def opened_store(place: SecretPlace) -> SecretStore:
    """The secrets at a place, read anew each time."""
    return open_store(place, os.environ, _emulator())


def opened_lister(place: SecretPlace) -> SecretLister:
    """The secrets at a place, without their values."""
    return open_lister(place, os.environ, _emulator())


def opened_writer(place: SecretPlace) -> SecretWriter | None:
    """The secrets at a place, to be written; None where that is not done from here."""
    return open_writer(place, _emulator())


def _emulator() -> str | None:
    return os.environ.get("SECRET_MANAGER_EMULATOR_HOST", "").strip() or None


def _place(_: click.Context, __: click.Parameter, text: str) -> SecretPlace:
    try:
        return SecretPlace.parse(text)
    except ValueError as error:
        raise click.BadParameter(f"it must be {error}.") from None

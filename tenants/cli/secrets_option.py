"""Where a command finds tenants' secrets."""

import os
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import rich_click as click

from tenants.ports import SecretStore
from tenants.secrets.opening import open_store
from tenants.secrets.places import SecretPlace

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


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
    emulator = os.environ.get("SECRET_MANAGER_EMULATOR_HOST") or None
    return open_store(place, os.environ, emulator)


def _place(_: click.Context, __: click.Parameter, text: str) -> SecretPlace:
    try:
        return SecretPlace.parse(text)
    except ValueError as error:
        raise click.BadParameter(f"it must be {error}.") from None

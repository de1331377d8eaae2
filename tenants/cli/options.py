"""Options and arguments that several commands have, with what they mean."""

import contextlib
import getpass
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import rich_click as click
from click.core import ParameterSource
from click.shell_completion import CompletionItem

from tenants.cli.frame import JSON, REGISTRY, with_environment
from tenants.model import is_tenant_id
from tenants.registry.places import RegistryPlace, RegistryPlaceError
from tenants.releases.pointers import LONGEST_TEXT

Decorated = TypeVar("Decorated", bound=Callable[..., Any])
Decorator = Callable[[Decorated], Decorated]
_EXAMPLES = "dir:./examples/tenants"


def default_registry(environ: Mapping[str, str]) -> str:
    """The registry of who names none, as the gateway has it."""
    if place := environ.get("GATEWAY_TENANTS", "").strip():
        return place
    bucket = environ.get("BUCKET_ID", "").strip()
    production = environ.get("ENVIRONMENT", "").strip().lower() == "production"
    return f"gs://{bucket}" if bucket and production else _EXAMPLES


def _registry_at_hand() -> str:
    """The same, while a shell completes a line: nothing has read ``.env`` then."""
    with contextlib.suppress(click.ClickException), with_environment():
        return default_registry(os.environ)
    return default_registry(os.environ)


def default_gateway(environ: Mapping[str, str]) -> str:
    """The URL of who names none: of a gateway on this machine, where its variables put it."""
    host = environ.get("GATEWAY_HOST", "").strip("[] ")
    host = "127.0.0.1" if host in {"", "0.0.0.0", "::"} else host  # noqa: S104  (nothing is bound)
    port = environ.get("GATEWAY_PORT", "").strip()
    # Kubernetes puts a URL there for a service called gateway; 0 is any free port.
    port = port if port.isdecimal() and int(port) else "8000"
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


class TenantId(click.ParamType[str]):
    """A tenant's id, completed from a registry that is a directory."""

    name = "ID"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """See ``click.ParamType``."""
        if not is_tenant_id(value):
            self.fail(
                f"{value!r} is no tenant's id: those have lower-case letters, digits and inner "
                "hyphens, at most 63 characters.",
                param,
                ctx,
            )
        return value

    def shell_complete(
        self, ctx: click.Context, _param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """See ``click.ParamType``."""
        named = ctx.get_parameter_source("registry") is ParameterSource.COMMANDLINE
        place = ctx.params["registry"] if named else _registry_at_hand()
        kind, _, path = place.partition(":")
        if kind != "dir":
            return []  # A bucket would be asked at each press of a key.
        try:
            names = sorted(os.listdir(path))  # noqa: PTH208  (10,000 names, no paths)
        except OSError:
            return []
        found = (name for name in names if name.startswith(incomplete) and is_tenant_id(name))
        return [CompletionItem(name) for name in found]


class Revision(click.ParamType[int]):
    """The number of a revision."""

    name = "REV"

    def convert(
        self, value: str | int, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """See ``click.ParamType``."""
        if not str(value).isdecimal() or not int(value):
            self.fail(f"{value!r} is no revision's number: those are 1, 2, 3 …", param, ctx)
        return int(value)


class TenantOrDirectory(click.ParamType[Path | str]):
    """A tenant's directory, or else its id."""

    name = "PATH|ID"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> Path | str:
        """See ``click.ParamType``."""
        if Path(value).is_dir():
            return Path(value)
        if Path(value).exists():
            self.fail(f"{value} is a file: name the tenant's directory.", param, ctx)
        if not is_tenant_id(value):
            self.fail(f"{value} is neither a directory nor a tenant's id.", param, ctx)
        return value

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """See ``click.ParamType``."""
        found = TenantId().shell_complete(ctx, param, incomplete)
        return found or [CompletionItem(incomplete, type="dir")]


def tenant_argument(name: str = "tenant_id") -> Decorator[Any]:
    """The argument ID."""
    return click.argument(name, metavar="ID", type=TenantId())


def registry_option(command: Decorated) -> Decorated:
    """``--registry``."""
    return click.option(
        "--registry",
        metavar="PLACE",
        default=lambda: default_registry(os.environ),
        callback=_place,
        show_default=f"$GATEWAY_TENANTS, else {_EXAMPLES}",
        help="The registry: dir:PATH or gs://BUCKET/PREFIX.",
    )(command)


def json_option(command: Decorated) -> Decorated:
    """``--json``, given to the command as ``as_json``."""

    def keep(context: click.Context, _: click.Parameter, value: bool) -> bool:  # noqa: FBT001
        context.meta[JSON] = value
        return value

    return click.option(
        "--json", "as_json", is_flag=True, is_eager=True, callback=keep, help="Print JSON."
    )(command)


def yes_option(command: Decorated) -> Decorated:
    """``--yes``."""
    return click.option("--yes", is_flag=True, help="Do it without asking.")(command)


def dry_run_option(command: Decorated) -> Decorated:
    """``--dry-run``."""
    return click.option("--dry-run", is_flag=True, help="Show what would be done, do nothing.")(
        command
    )


def by_option(command: Decorated) -> Decorated:
    """``--by``."""
    return click.option(
        "--by",
        metavar="NAME",
        callback=_by,
        show_default="your login name",
        help="Who does it, for the audit.",
    )(command)


def note_option(command: Decorated) -> Decorated:
    """``--note``."""
    return click.option(
        "--note", default="", metavar="TEXT", callback=_line, help="Why, for the history."
    )(command)


def changing(command: Decorated) -> Decorated:
    """What every change of a tenant has: why, who, whether it is tried alone, where, and JSON."""
    for option in (json_option, registry_option, dry_run_option, by_option, note_option):
        command = option(command)
    return command


def gateway_option(words: str, *, wanted: bool) -> Decorator[Any]:
    """``--gateway``.

    Args:
        words: of its help.
        wanted: whether there is always one: where none is named, the one on this machine.
    """
    default: dict[str, Any] = {"default": lambda: default_gateway(os.environ)}
    if wanted:
        default["show_default"] = "http://127.0.0.1:$GATEWAY_PORT"
    return click.option(
        "--gateway", metavar="URL", callback=_url, help=words, **(default if wanted else {})
    )


def private_upstreams_option(command: Decorated) -> Decorated:
    """``--private-upstreams``, a set of hosts."""
    return click.option(
        "--private-upstreams",
        metavar="HOSTS",
        envvar="GATEWAY_PRIVATE_UPSTREAMS",
        default="",
        callback=_hosts,
        show_envvar=True,
        help="Hosts that base_url may name though they are private, comma-separated.",
    )(command)


DIRECTORY = click.Path(exists=True, file_okay=False, path_type=Path)
"""A directory that is there."""
NEW_DIRECTORY = click.Path(file_okay=False, path_type=Path)
"""A directory that may be made."""


def _place(context: click.Context, __: click.Parameter, text: str) -> str:
    try:
        RegistryPlace.parse(text)
    except RegistryPlaceError as error:
        raise click.BadParameter(f"{error}.") from None
    context.meta[REGISTRY] = text
    return text


def _by(_: click.Context, __: click.Parameter, text: str | None) -> str:
    if text is None:
        try:
            text = getpass.getuser()
        except (KeyError, OSError):
            raise click.BadParameter("you have no login name here: name yourself.") from None
    return _line(_, __, text)


def _line(_: click.Context, __: click.Parameter, text: str) -> str:
    if len(text) > LONGEST_TEXT or not text.isprintable():
        raise click.BadParameter(f"write one line of at most {LONGEST_TEXT} characters.")
    return text


def _hosts(_: click.Context, __: click.Parameter, text: str) -> frozenset[str]:
    return frozenset(filter(None, (host.strip().lower() for host in text.split(","))))


def _url(_: click.Context, __: click.Parameter, text: str | None) -> str | None:
    parts = urlsplit(text or "http://none")
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise click.BadParameter("it must be a URL such as http://127.0.0.1:8000.")
    return text.rstrip("/") if text else None

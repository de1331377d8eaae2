"""``tenantctl chat``: a conversation with a tenant's assistant in the terminal."""

import asyncio
import sys
from typing import Any
from urllib.parse import urlsplit

import rich_click as click
from rich.console import Console

from tenants.cli.chat_loop import PROTOCOLS, Chat, Choices
from tenants.cli.chat_view import Lines, Terminal, View
from tenants.model import is_tenant_id


def _tenant_id(_: click.Context, __: click.Parameter, text: str) -> str:
    if not is_tenant_id(text):
        raise click.BadParameter("a tenant's id has lower-case letters, digits and inner hyphens.")
    return text


def _url(_: click.Context, __: click.Parameter, text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise click.BadParameter("it must be a URL such as http://127.0.0.1:8000.")
    return text.rstrip("/")


def _headers(_: click.Context, __: click.Parameter, lines: tuple[str, ...]) -> dict[str, str]:
    pairs = [line.partition(":") for line in lines]
    if not all(name.strip() and colon for name, colon, _ in pairs):
        raise click.BadParameter('it must be like "Name: value".')
    return {name.strip(): value.strip() for name, _, value in pairs}


@click.command()
@click.argument("tenant_id", metavar="ID", callback=_tenant_id)
@click.option(
    "--gateway",
    default="http://127.0.0.1:8000",
    show_default=True,
    callback=_url,
    help="The URL of a running gateway.",
)
@click.option(
    "--protocol",
    type=click.Choice([*PROTOCOLS]),
    default="sse",
    show_default=True,
    help="How answers come: as they are made (sse, ws), or whole (json).",
)
@click.option("--thread-id", help="Go on with this thread.")
@click.option("--message", help="Say this alone, then leave.")
@click.option(
    "--header", "headers", multiple=True, callback=_headers, help='Send "Name: value" along.'
)
@click.option("--json", "as_json", is_flag=True, help="Print every event as a line of JSON.")
def chat(**options: Any) -> None:  # noqa: ANN401 - Choices types each of them
    """Talk to a tenant's assistant through a running gateway.

    Messages are read a line each, from a terminal or a pipe. Ctrl-C stops an answer, /new starts
    anew, Ctrl-D or /quit leaves. Exits 0, or 1 where an answer was not whole.

    Example: tenantctl chat weather --message "What is the weather in Paris?"
    """
    choices = Choices(**options)
    view: View = Lines(sys.stdout) if choices.as_json else Terminal(Console(), Console(stderr=True))
    with asyncio.Runner() as runner:
        sys.exit(0 if Chat(choices, view, runner).hold() else 1)

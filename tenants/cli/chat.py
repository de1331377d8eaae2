"""``tenantctl chat``: a conversation with a tenant's assistant in the terminal."""

import asyncio
import os
import sys
from typing import Any

import rich_click as click
from rich.console import Console

from tenants.cli.chat_errors import KEY
from tenants.cli.chat_loop import PROTOCOLS, Chat, Choices
from tenants.cli.chat_view import Lines, Terminal, View
from tenants.cli.frame import Command
from tenants.cli.options import gateway_option, tenant_argument


def _headers(_: click.Context, __: click.Parameter, lines: tuple[str, ...]) -> dict[str, str]:
    """The headers that are named, and the key of the environment where they hold none."""
    pairs = [line.partition(":") for line in lines]
    if not all(name.strip() and colon for name, colon, _ in pairs):
        raise click.BadParameter('it must be like "Name: value".')
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    key = os.environ.get(KEY, "").strip()
    return {"authorization": f"Bearer {key}", **headers} if key else headers


@click.command(cls=Command)
@tenant_argument()
@gateway_option("A running gateway.", wanted=True)
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
    "--header",
    "headers",
    metavar='"NAME: VALUE"',
    multiple=True,
    callback=_headers,
    help="Send it along, as often as you like.",
)
@click.option("--json", "as_json", is_flag=True, help="Print every event as a line of JSON.")
def chat(**options: Any) -> None:  # noqa: ANN401 - Choices types each of them
    """Talk to a tenant's assistant through a running gateway.

    Messages are read a line each, from a terminal or a pipe. Ctrl-C stops an answer, /new starts
    anew, Ctrl-D or /quit leaves. Exits 0, or 1 where an answer was not whole. Where the gateway
    demands a key, it is taken from the variable TENANTCTL_KEY.

    Example: tenantctl chat weather --message "What is the weather in Paris?"
    """
    choices = Choices(**options)
    view: View = Lines(sys.stdout) if choices.as_json else Terminal(Console(), Console(stderr=True))
    with asyncio.Runner() as runner:
        sys.exit(0 if Chat(choices, view, runner).hold() else 1)

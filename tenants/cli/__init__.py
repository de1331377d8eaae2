"""The console script ``tenantctl``: one module a command, added to the group here."""

import importlib

import rich_click as click

from tenants.cli.completion import completion
from tenants.cli.import_config import import_
from tenants.cli.migrate import migrate
from tenants.cli.schema import print_schema, schema
from tenants.cli.validate import validate


class _Commands(click.RichGroup):
    """A group whose ``chat`` is imported when it is asked for: the others need no HTTP client."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), "chat"})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name == "chat" and cmd_name not in self.commands:
            self.add_command(importlib.import_module("tenants.cli.chat").chat)
        return super().get_command(ctx, cmd_name)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="assistant-gateway", prog_name="tenantctl")
@click.option(
    "--generate-schema",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=print_schema,
    help="Print the JSON Schema of tenant.toml: the older name of schema.",
)
def main() -> None:
    """Look after the tenants of an assistant gateway.

    Example: tenantctl validate examples/tenants/weather
    """


main.add_command(completion)
main.add_command(import_)
main.add_command(migrate)
main.add_command(schema)
main.add_command(validate)

"""The console script ``tenantctl``: one module a command, added to the group here."""

import rich_click as click

from tenants.cli.chat import chat
from tenants.cli.completion import completion
from tenants.cli.import_config import import_
from tenants.cli.migrate import migrate
from tenants.cli.schema import print_schema, schema
from tenants.cli.validate import validate


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
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


main.add_command(chat)
main.add_command(completion)
main.add_command(import_)
main.add_command(migrate)
main.add_command(schema)
main.add_command(validate)

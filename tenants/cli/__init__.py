"""The console script ``tenantctl``: one module a command, added to the group here."""

import rich_click as click

from tenants.cli.chat import chat
from tenants.cli.completion import completion
from tenants.cli.validate import validate


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="assistant-gateway", prog_name="tenantctl")
def main() -> None:
    """Look after the tenants of an assistant gateway.

    Example: tenantctl validate examples/tenants/weather
    """


main.add_command(chat)
main.add_command(completion)
main.add_command(validate)

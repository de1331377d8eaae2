"""The console script ``tenantctl``: its commands by name, each imported when asked for."""

import rich_click as click

from tenants.cli.frame import LazyGroup, with_environment

_COMMANDS = {
    "Tenants": {
        "onboard": "Create a tenant and issue its first key.",
        "list": "List the registry's tenants.",
        "show": "Show what is in force of a tenant.",
        "suspend": "Switch a tenant off; nothing is lost.",
        "resume": "Switch a suspended tenant on again.",
        "offboard": "Export a tenant, then delete it with all it has.",
    },
    "Revisions": {
        "publish": "Publish a directory as a tenant's new revision.",
        "diff": "Show what differs between revisions, or a directory and a revision.",
        "history": "Show a tenant's revisions.",
        "rollback": "Put an earlier revision in force.",
        "export": "Write a revision's files to a directory.",
    },
    "Knowledge": {"knowledge": "Bring a tenant's knowledge files to where they are searched."},
    "Keys": {
        "keys": "Issue, list, rotate and revoke a tenant's API keys.",
        "secrets": "Set, list and rotate the secrets that a tenant's document refers to.",
    },
    "Documents": {
        "validate": "Check a tenant's files and show what a model is told of its functions.",
        "import": "Make a tenant's directory from configuration of the earlier service.",
        "migrate": "Bring tenants' documents to the newest schema version.",
        "schema": "Print the JSON Schema of tenant.toml, for editors and checks.",
    },
    "The rest": {
        "chat": "Talk to a tenant's assistant through a running gateway.",
        "doctor": "Say what is wrong with registry, secrets and models, and how to mend it.",
        "completion": "Print the script that completes tenantctl's commands in a shell.",
    },
}
# Every other command is the attribute of its name in the module of its name.
_ELSEWHERE = {
    "list": "listing:list_",
    "import": "import_config:import_",
    "secrets": "secrets_command:secrets",
    "suspend": "suspension:suspend",
    "resume": "suspension:resume",
}


def _print_schema(context: click.Context, _: click.Parameter, value: bool) -> None:  # noqa: FBT001  (click's)
    if value and not context.resilient_parsing:
        from tenants.cli.schema import text  # noqa: PLC0415  (the commands are imported lazily)

        click.echo(text(as_json=False))
        context.exit()


@click.group(
    "tenantctl",
    cls=LazyGroup,
    panels_of_commands=_COMMANDS,
    elsewhere=_ELSEWHERE,
    context_settings={
        "help_option_names": ["-h", "--help"],
        # Without frames, so that a pipe and a narrow terminal show it as it is meant.
        "rich_help_config": {"theme": "default-slim", "text_paragraph_linebreaks": "\n\n"},
    },
)
@click.version_option(package_name="assistant-gateway", prog_name="tenantctl")
@click.option(
    "--generate-schema",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_schema,
    help="Print the JSON Schema of tenant.toml: the older name of schema.",
)
@click.pass_context
def main(context: click.Context) -> None:
    """Look after the tenants of an assistant gateway.

    Example: tenantctl onboard acme
    """
    context.with_resource(with_environment())

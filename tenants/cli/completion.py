"""``tenantctl completion``: the shell's part of completing commands."""

import rich_click as click
from click.shell_completion import get_completion_class

from tenants.cli.frame import Command


@click.command(cls=Command)
@click.argument("shell", type=click.Choice(["bash", "fish", "zsh"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the script that completes tenantctl's commands in a shell.

    Example: eval "$(tenantctl completion bash)"
    """
    source = get_completion_class(shell)
    if source is None:
        raise click.UsageError(f"{shell} is not known")
    root = context.find_root()
    click.echo(source(root.command, {}, "tenantctl", "_TENANTCTL_COMPLETE").source())

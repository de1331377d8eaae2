"""What all commands have in common: loaded when asked for, and every error told in words."""

import contextlib
import difflib
import importlib
import io
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn

import rich_click as click
from click.exceptions import Exit, NoArgsIsHelpError

JSON = "tenantctl.json"
"""Where a context's ``meta`` says that the command prints JSON."""
REGISTRY = "tenantctl.registry"
"""Where a context's ``meta`` holds the registry that the command works on."""
INTERRUPTED = 130
"""The exit code of what was stopped by Ctrl-C, as shells have it."""
_DOTENV = Path(".env")


class Command(click.RichCommand):
    """A command that tells everything that is wrong with its arguments at once."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """See ``click.Command``."""
        given = [*args]
        if any("--json" in each.opts for each in self.params):
            ctx.meta[JSON] = "--json" in given  # Faults are told before the option itself is read.
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            faults = _usage_faults(self, ctx, given)
            if len(faults) < 2:  # noqa: PLR2004  (one alone is told as click tells it)
                raise
            raise click.UsageError("\n".join(faults), ctx) from error


class Group(click.RichGroup):
    """A group of such commands."""

    command_class = Command
    group_class = type


class Lazy(Command):
    """A command as lists and completion show it; what does the work is imported when asked for."""

    def __init__(self, name: str, where: str, words: str, panel: str) -> None:
        super().__init__(name=name, short_help=words, panel=panel)
        self._where = where

    def load(self) -> click.Command:
        """The command itself."""
        module, _, attribute = self._where.partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command


class LazyGroup(Group):
    """The root: names its commands without importing them, and tells what went wrong in one place.

    Args:
        panels_of_commands: by panel and name, what help says of a command.
        elsewhere: by name, ``module:attribute`` of the commands that are not where their names say.
    """

    def __init__(
        self,
        *args: Any,  # noqa: ANN401  (click's)
        panels_of_commands: Mapping[str, Mapping[str, str]],
        elsewhere: Mapping[str, str],
        **options: Any,  # noqa: ANN401
    ) -> None:
        super().__init__(*args, **options)
        for panel, commands in panels_of_commands.items():
            for name, words in commands.items():
                where = f"tenants.cli.{elsewhere.get(name, f'{name}:{name}')}"
                self.add_command(Lazy(name, where, words, panel), panel=panel)

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """See ``click.Group``; in the order of the panels."""
        return [*self.commands]

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """See ``click.Group``; what it finds is imported."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, command.load() if isinstance(command, Lazy) else command, rest

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,  # noqa: ANN401  (click's)
    ) -> Any:  # noqa: ANN401
        """See ``click.Group``; bad usage of the program itself is told as that of a command."""
        try:
            return super().make_context(info_name, args, parent, **extra)
        except NoArgsIsHelpError:
            raise
        except click.UsageError as error:
            _misused(error)

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401  (click's)
        """See ``click.Group``; whatever goes wrong is told in words, and never with a traceback."""
        _print_whatever_comes()
        try:
            _expect_output()
            return super().invoke(ctx)
        except (Exit, BrokenPipeError, NoArgsIsHelpError):
            raise
        except click.UsageError as error:
            _misused(error)
        except click.ClickException as error:
            _fail(ctx, error.format_message().splitlines(), error.exit_code)
        except (KeyboardInterrupt, click.Abort) as error:
            words = "Stopped: what was not reported as done was not done."
            _fail(ctx, [words], INTERRUPTED if _by_ctrl_c(error) else 1)
        except Exception as error:  # An operator gets words, never a traceback.
            if os.environ.get("LOGGING_LEVEL") == "DEBUG":
                raise
            from tenants.cli.failing import tell  # noqa: PLC0415  (only where something went wrong)

            tell(error, ctx.meta.get(REGISTRY), as_json=bool(ctx.meta.get(JSON)))
            sys.exit(1)


@contextlib.contextmanager
def with_environment() -> Iterator[None]:
    """Let a ``.env`` file in the working directory add to the environment, in development."""
    if not _DOTENV.exists():
        yield
        return
    from tenants.dotenv import DotenvError, with_dotenv  # noqa: PLC0415  (few have such a file)

    before = dict(os.environ)
    try:
        os.environ.update(with_dotenv(before, _DOTENV))
    except DotenvError as error:
        raise click.ClickException(str(error)) from None
    try:
        yield
    finally:
        for name in os.environ.keys() - before.keys():
            del os.environ[name]


def _print_whatever_comes() -> None:
    """Write out what a stream's encoding has no character for: a name is no reason to fail."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _expect_output() -> None:
    """See that there is a standard output, since a key is told there, once."""
    if sys.stdout is None:
        raise click.ClickException(
            "Standard output is closed: send it somewhere. Nothing was done."
        )


def _by_ctrl_c(error: BaseException) -> bool:
    """Whether Ctrl-C was pressed, maybe at a question; else the input was at its end."""
    return isinstance(error, KeyboardInterrupt) or isinstance(error.__context__, KeyboardInterrupt)


def _misused(error: click.UsageError) -> NoReturn:
    """Tell what is wrong with a command line, and where the right one is described."""
    if error.ctx is None:
        raise error
    ctx, lines = error.ctx, error.format_message().splitlines()
    usage = " ".join([ctx.command_path, *ctx.command.collect_usage_pieces(ctx)])
    _fail(ctx, lines, error.exit_code, f"Usage: {usage}\n{ctx.command_path} --help says more.")


def _fail(ctx: click.Context, lines: list[str], code: int, hint: str = "") -> NoReturn:
    from tenants.cli.output import Output  # noqa: PLC0415  (its library takes long to import)

    output = Output(as_json=bool(ctx.meta.get(JSON)))
    output.failed(lines, [(line, "dim") for line in hint.splitlines()])
    sys.exit(code)


def _usage_faults(command: click.Command, ctx: click.Context, args: list[str]) -> list[str]:
    """Everything that is wrong with a command line: unknown options, then each parameter."""
    params = [each for each in command.get_params(ctx) if not each.is_eager]
    known = {name for each in command.get_params(ctx) for name in each.opts if name.startswith("-")}
    unknown = [text for text in args if text[:1] == "-" and text.partition("=")[0] not in known]
    faults = [_no_such(text, known) for text in unknown]
    try:
        parser = command.make_parser(ctx)
        opts, rest, _ = parser.parse_args([text for text in args if text not in unknown])
    except click.UsageError as error:
        return [*faults, error.format_message()]
    faults += [f"Got an argument too many: {text}." for text in rest]
    return faults + [words for each in params for words in _faults_of(each, ctx, opts)]


def _no_such(option: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(option.partition("=")[0], known, n=1)
    return f"No such option: {option}." + (f" Did you mean {near[0]}?" if near else "")


def _faults_of(param: click.Parameter, ctx: click.Context, opts: Any) -> Iterator[str]:  # noqa: ANN401
    try:
        param.handle_parse_result(ctx, opts, [])
    except click.UsageError as error:
        yield error.format_message()

"""The console script ``gateway``: serve, check the settings, run the simulator."""

import asyncio
import contextlib
import errno
import os
import shlex
import socket
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

import attrs
import msgspec
import rich_click as click

from gateway.settings import Settings, SettingsError, with_dotenv

_GRACE_SECONDS = 20.0
_BACKLOG = 2048
_SIMULATOR_KEY = "sk-simulator"


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="assistant-gateway", prog_name="gateway")
def main() -> None:
    """Serve many tenants' assistants over JSON, Server-Sent Events and WebSocket.

    Settings come from the environment; docs/settings.md lists them.
    """


@main.command()
@click.option("--host", help="Name or address to bind to.  [env: GATEWAY_HOST]")
@click.option("--port", help="TCP port; 0 takes a free one.  [env: GATEWAY_PORT]")
@click.option("--workers", help="Processes.  [env: GATEWAY_WORKERS]")
@click.option("--reload", is_flag=True, help="Start anew on changed code.  [env: GATEWAY_RELOAD]")
def serve(host: str | None, port: str | None, workers: str | None, *, reload: bool) -> None:
    """Serve the tenants.

    Example: gateway serve --port 9000
    """
    options = {"HOST": host, "PORT": port, "WORKERS": workers, "RELOAD": "true" if reload else None}
    settings = _settings({f"GATEWAY_{name}": text for name, text in options.items() if text})
    if settings.reload:
        _serve_and_reload(settings)
    else:
        _serve(settings)


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def check(*, as_json: bool) -> None:
    """Say what is wrong with the settings and what they name, and how to mend it.

    Example: gateway check --json
    """
    from gateway.checks import Check, check_all  # noqa: PLC0415 - the other commands need no adapters

    try:
        settings = Settings.from_environment(_environment({}))
    except SettingsError as error:
        checks = [Check("settings", "", tuple(map(str, error.faults)))]
    else:
        checks = [Check("settings", settings.environment), *asyncio.run(check_all(settings))]
    good = not any(check.faults for check in checks)
    if as_json:
        report = {"ok": good, "checks": checks}
        click.echo(msgspec.json.encode(report))
    else:
        for each in checks:
            click.echo(f"{'wrong' if each.faults else 'ok':<6}{each.name:<10}{each.found}")
            for fault in each.faults:
                click.echo(f"      - {fault}")
    sys.exit(0 if good else 1)


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to bind to.")
@click.option("--port", default=8001, show_default=True, help="TCP port; 0 takes a free one.")
def simulator(host: str, port: int) -> None:
    """Serve the simulator alone: an OpenAI-compatible upstream that needs no account.

    Example: gateway simulator --port 8001
    """
    from gateway.simulator.server import run  # noqa: PLC0415 - the other commands need no simulator

    def announce(base_url: str) -> None:
        click.echo(f"Simulator on {base_url}; any key will do.", err=True)

    with _bind_errors_told(host, port), contextlib.suppress(KeyboardInterrupt):
        run(host, port, announce)


def _environment(options: Mapping[str, str]) -> dict[str, str]:
    """The process's environment with a ``.env`` file's and the command line's additions.

    They are put into ``os.environ`` too, where libraries and child processes look.

    Raises:
        SettingsError: the ``.env`` file cannot be read.
    """
    environ = with_dotenv({**os.environ, **options}, Path(".env"))
    os.environ.update(environ)
    return environ


def _settings(options: Mapping[str, str]) -> Settings:
    try:
        return Settings.from_environment(_environment(options))
    except SettingsError as error:
        _give_up([str(fault) for fault in error.faults])


def _serve(settings: Settings) -> None:
    # Imported here, so that `gateway --help` and a bad setting answer at once.
    from gateway.app import Gateway  # noqa: PLC0415
    from gateway.checks import before_serving  # noqa: PLC0415
    from gateway.registry_checks import tenant_ids  # noqa: PLC0415
    from gateway.serving import server_config  # noqa: PLC0415
    from gateway.telemetry.logs import configure  # noqa: PLC0415
    from gateway.welcome import Welcome, WelcomingServer  # noqa: PLC0415

    configure(settings)
    listeners = _listeners(settings)
    if faults := before_serving(settings):
        _give_up(faults)
    with _with_upstream(settings) as (connected, upstream):
        host, port = listeners[0].getsockname()[:2]
        internal = listeners[1].getsockname()[1] if len(listeners) > 1 else None
        gateway = Gateway(connected, internal_port=internal)
        tenants, default = tenant_ids(settings), settings.default_tenant
        welcome = Welcome(host, port, tenants, default, upstream, internal)
        config = server_config(gateway, host=host, port=port)
        server = WelcomingServer(config, gateway, _GRACE_SECONDS, welcome)
        with contextlib.suppress(KeyboardInterrupt):
            server.run(sockets=listeners)


def _serve_and_reload(settings: Settings) -> None:
    """Run the server in a child process, and start that anew whenever code of ours changes."""
    from watchfiles import PythonFilter, run_process  # noqa: PLC0415 - development only

    here = Path(__file__).parent.parent
    child = {"HOST": settings.host, "PORT": str(settings.port), "RELOAD": "false"}
    os.environ.update({f"GATEWAY_{name}": text for name, text in child.items()})
    run_process(
        *(here / package for package in ("gateway", "tenants", "migrations_of_config")),
        target=shlex.join([sys.executable, "-m", "gateway", "serve"]),
        target_type="command",
        watch_filter=PythonFilter(),
    )


@contextlib.contextmanager
def _with_upstream(settings: Settings) -> Iterator[tuple[Settings, str]]:
    """The settings with an upstream account, the simulator's where there is none; and its name."""
    if settings.openai_api_key is not None:
        yield settings, settings.openai_base_url
        return
    from gateway.simulator.server import spawn  # noqa: PLC0415 - where there is an account: none

    process, base_url = spawn()
    try:
        simulated = attrs.evolve(settings, openai_api_key=_SIMULATOR_KEY, openai_base_url=base_url)
        yield simulated, f"the built-in simulator on {base_url} (OPENAI_API_KEY is not set)"
    finally:
        process.terminate()
        process.wait()


def _listeners(settings: Settings) -> list[socket.socket]:
    """The tenants' port, and in production the operator's own."""
    ports = [("--port or GATEWAY_PORT", settings.port)]
    if settings.environment == "production":
        ports.append(("GATEWAY_INTERNAL_PORT", settings.internal_port))
    sockets = []
    for name, port in ports:
        with _bind_errors_told(settings.host, port, name):
            sockets.append(_listen(settings.host, port))
    return sockets


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=_BACKLOG)


@contextlib.contextmanager
def _bind_errors_told(host: str, port: int, option: str = "--port") -> Iterator[None]:
    try:
        yield
    except OSError as error:
        _give_up([f"{host} port {port}: {_bind_fault(error, option)}"])


def _bind_fault(error: OSError, option: str) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return f"another program listens there. Stop it, or choose another port with {option}."
        case errno.EACCES:
            return f"this user may not listen there. Choose a port from 1024 on with {option}."
        case _:
            return f"cannot be listened on ({error.strerror}). Choose another host with --host."


def _give_up(faults: Sequence[str]) -> NoReturn:
    click.echo("The gateway cannot start:", err=True)
    for fault in faults:
        click.echo(f"  - {fault}", err=True)
    sys.exit(1)


if __name__ == "__main__":
    main()

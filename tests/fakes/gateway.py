"""The whole gateway on a loopback port, in the test's own event loop."""

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import uvicorn

from gateway.app import Gateway
from gateway.serving import server_config
from gateway.settings import Settings

TENANT = """
schema_version = 1
tenant_id = "{id}"
display_name = "{name}"

[assistant]
id = "asst_{id}_default"
engine = "responses"
model = "{model}"
instructions_file = "instructions.md"
initial_message = "Hello from {name}."
{rest}
"""


def write_tenant(  # noqa: PLR0913 - each is one line of its document
    root: Path,
    tenant_id: str,
    *,
    instructions: str = "Answer briefly.",
    model: str = "gpt-6-luna",
    tools: str | None = None,
    rest: str = "",
) -> Path:
    """A tenant's directory under ``root``."""
    folder = root / tenant_id
    folder.mkdir(parents=True, exist_ok=True)
    if tools is not None:
        (folder / "tools.py").write_text(tools)
        rest += '\n[tools]\nmodule = "tools.py"\nisolation = "inline"\n'
    (folder / "instructions.md").write_text(instructions)
    document = TENANT.format(id=tenant_id, name=tenant_id.title(), model=model, rest=rest)
    (folder / "tenant.toml").write_text(document)
    return folder


class RunningGateway:
    """A gateway that serves.

    Attributes:
        url: such as ``http://127.0.0.1:4711``.
        internal_url: of the operator's port, where it has one of its own.
        app: the gateway itself, for its metrics and parts.
    """

    def __init__(self, app: Gateway, ports: list[int]) -> None:
        self.app = app
        self.url = f"http://127.0.0.1:{ports[0]}"
        self.ws_url = f"ws://127.0.0.1:{ports[0]}"
        self.internal_url = f"http://127.0.0.1:{ports[-1]}"


@asynccontextmanager
async def serving(
    environ: Mapping[str, str], *, internal: bool = False, **bounds: Any
) -> AsyncIterator[RunningGateway]:
    """Serve with these variables; see ``gateway.settings`` and ``Gateway`` for the bounds.

    Args:
        environ: the variables.
        internal: whether the operator's routes have a port of their own.
        bounds: of ``Gateway``.
    """
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(1 + internal)]
    ports = [each.getsockname()[1] for each in sockets]
    internal_port = ports[1] if internal else None
    app = Gateway(Settings.from_environment(environ), internal_port=internal_port, **bounds)
    server = uvicorn.Server(server_config(app, host="127.0.0.1", port=0))
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    task = asyncio.ensure_future(server.serve(sockets))
    while not server.started:
        await asyncio.sleep(0)
        if task.done():
            task.result()
            raise RuntimeError("the gateway did not start")
    try:
        yield RunningGateway(app, ports)
    finally:
        server.should_exit = True
        await task

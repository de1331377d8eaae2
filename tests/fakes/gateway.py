"""The whole gateway on a loopback port, in the test's own event loop."""

import asyncio
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
        app: the gateway itself, for its metrics and parts.
    """

    def __init__(self, app: Gateway, server: uvicorn.Server) -> None:
        self.app = app
        self._server = server
        port = server.servers[0].sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.ws_url = f"ws://127.0.0.1:{port}"


@asynccontextmanager
async def serving(environ: Mapping[str, str], **bounds: Any) -> AsyncIterator[RunningGateway]:
    """Serve with these variables; see ``gateway.settings`` and ``Gateway`` for the bounds."""
    app = Gateway(Settings.from_environment(environ), **bounds)
    server = uvicorn.Server(server_config(app, host="127.0.0.1", port=0))
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    task = asyncio.ensure_future(server.serve())
    while not server.started:
        await asyncio.sleep(0)
        if task.done():
            task.result()
            raise RuntimeError("the gateway did not start")
    try:
        yield RunningGateway(app, server)
    finally:
        server.should_exit = True
        await task

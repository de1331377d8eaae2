"""Tenants' directories, as tests need them."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from tenants.compiled import CompiledTenant
from tenants.compiling import compile_tenant
from tenants.sources import read_sources

DOCUMENT = """schema_version = 1
tenant_id = "{tenant_id}"
[assistant]
id = "asst_{tenant_id}"
model = "gpt-6-luna"
"""
TOOLS = """[tools]
module = "tools.py"
isolation = "inline"
timeout_seconds = {timeout_seconds}
"""


def write_tenant(  # noqa: PLR0913  (each is a file, or a line of one)
    root: Path,
    tenant_id: str = "acme",
    *,
    document: str = "",
    instructions: str = "Be brief.",
    tools: str | None = None,
    timeout_seconds: float = 5,
) -> Path:
    """Write a tenant's directory; ``document`` is added to the least that is needed."""
    directory = root / tenant_id
    directory.mkdir(parents=True, exist_ok=True)
    text = DOCUMENT.format(tenant_id=tenant_id)
    if tools is not None:
        text += TOOLS.format(timeout_seconds=timeout_seconds)
        (directory / "tools.py").write_text(tools)
    (directory / "instructions.md").write_text(instructions)
    (directory / "tenant.toml").write_text(text + document)
    return directory


def compile_directory(directory: Path) -> CompiledTenant:
    """The compiled form of a tenant's directory."""
    return compile_tenant(read_sources(directory), private_upstreams=frozenset())


async def until(condition: Callable[[], bool], timeout_seconds: float = 5) -> None:
    """Wait until a condition holds, which something outside of this loop brings about."""
    async with asyncio.timeout(timeout_seconds):
        while not condition():  # noqa: ASYNC110  (files and threads set no event of this loop)
            await asyncio.sleep(0.005)

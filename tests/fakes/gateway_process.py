"""The gateway as a process of its own, for what needs one: its death, its memory, its signals."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import attrs

_ROOT = Path(__file__).parents[2]
_PASSED = ("PATH", "HOME", "LANG", "VIRTUAL_ENV")


@attrs.frozen
class GatewayProcess:
    """``gateway serve``, ready.

    Args:
        url: such as ``http://127.0.0.1:4711``.
        log: the file that its standard output goes to.
    """

    process: asyncio.subprocess.Process
    url: str
    log: Path

    async def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        await self.process.wait()

    async def terminate(self) -> int:
        """Tell it to stop, and wait until it has; its exit code."""
        self.process.terminate()
        return await self.process.wait()


@contextlib.asynccontextmanager
async def gateway_process(
    environ: Mapping[str, str], folder: Path
) -> AsyncIterator[GatewayProcess]:
    """Run ``gateway serve`` on a free port with these variables.

    Args:
        environ: see ``gateway.settings``.
        folder: where it runs, and where its log goes.
    """
    inherited = {name: os.environ[name] for name in _PASSED if name in os.environ}
    log = folder / "gateway.log"
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "gateway", "serve", "--port", "0"),
            cwd=folder,
            env={**inherited, "PYTHONPATH": str(_ROOT), **environ},
            stdout=output,
            stderr=asyncio.subprocess.PIPE,
        )
    try:
        yield GatewayProcess(process, await _url(process), log)
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGKILL)
        await process.wait()


async def _url(process: asyncio.subprocess.Process) -> str:
    """What its banner says; the rest of what it says there is not read."""
    assert process.stderr is not None
    said = b""
    async with asyncio.timeout(30):
        while line := await process.stderr.readline():
            said += line
            for word in line.decode().split():
                if word.startswith("http://127.0.0.1:"):
                    return "/".join(word.split("/")[:3])
    raise RuntimeError(f"the gateway did not serve: {said.decode()}")

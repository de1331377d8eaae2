"""The command ``gateway serve`` in a process of its own, before a scripted upstream."""

import asyncio
import contextlib
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Self

ROOT = Path(__file__).parents[2]
_PASSED = ("PATH", "HOME", "LANG", "VIRTUAL_ENV", "COVERAGE_PROCESS_START")


class ServedProcess:
    """One process, from its start to its end.

    Attributes:
        url: where it serves.
        said: what it has written so far, on both streams.
    """

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._serves: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.said = b""
        self.url = ""

    @property
    def resident_bytes(self) -> int:
        """Its memory, as the kernel counts it."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(re.findall(r"VmRSS:\s+(\d+) kB", status)[0]) * 1024

    @property
    def descriptors(self) -> int:
        """How many files and sockets it has open."""
        return len(list(Path(f"/proc/{self._process.pid}/fd").iterdir()))

    async def serves(self) -> Self:
        """Wait until it does."""
        async with asyncio.timeout(30):
            self.url = await self._serves
        return self

    async def listen(self, stream: asyncio.StreamReader) -> None:
        """Keep what it writes."""
        async for line in stream:
            self.said += line
            found = re.search(rb"http://127\.0\.0\.1:\d+", line)
            if line.strip().startswith(b"curl ") and found and not self._serves.done():
                self._serves.set_result(found[0].decode())
        if not self._serves.done():
            self._serves.set_exception(RuntimeError(self.said.decode()))

    async def kill(self) -> None:
        """End it at once."""
        self._process.kill()
        await self._process.wait()

    async def end(self) -> None:
        """End it as an operator does, if it has not ended."""
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGINT)
        async with asyncio.timeout(30):
            await self._process.wait()


@contextlib.asynccontextmanager
async def served_process(folder: Path, environ: Mapping[str, str]) -> AsyncIterator[ServedProcess]:
    """Serve in a process of its own until the end of the block."""
    passed = {name: os.environ[name] for name in _PASSED if name in os.environ}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway", "serve", "--port", "0"),
        cwd=folder,
        env={**passed, "PYTHONPATH": str(ROOT), **environ},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    served = ServedProcess(process)
    listening = [asyncio.ensure_future(served.listen(process.stderr))]
    listening.append(asyncio.ensure_future(_keep(served, process.stdout)))
    try:
        yield await served.serves()
    finally:
        await served.end()
        await asyncio.gather(*listening)


async def _keep(served: ServedProcess, stream: asyncio.StreamReader) -> None:
    while piece := await stream.read(65_536):
        served.said += piece

"""gRPC writes to standard error by itself, which a log of one object a line does not bear."""

import asyncio
import struct
import sys
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_ENHANCE_YOUR_CALM = 11
_PROGRAM = """
import asyncio, sys
from tenants.errors import SecretsUnavailableError
from tenants.model import SecretRef
from tenants.registry.opening import open_objects
from tenants.secrets.opening import open_store
from tenants.secrets.places import SecretPlace

async def main():
    open_objects("gs://tenants", {"STORAGE_EMULATOR_HOST": "http://127.0.0.1:9"})
    store = open_store(SecretPlace.parse("gcp:acme-project"), {}, sys.argv[1])
    try:
        async with asyncio.timeout(1):
            await store.read("acme", SecretRef("key"))
    except (SecretsUnavailableError, TimeoutError):
        print("told")
    await store.close()

asyncio.run(main())
"""


def _frame(kind: int, payload: bytes) -> bytes:
    """An HTTP/2 frame of the whole connection (RFC 9113, section 4.1)."""
    return struct.pack(">I", len(payload))[1:] + bytes([kind, 0]) + bytes(4) + payload


async def _send_away(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Settings, then GOAWAY for too many pings."""
    away = struct.pack(">II", 0, _ENHANCE_YOUR_CALM) + b"too_many_pings"
    writer.write(_frame(4, b"") + _frame(7, away))
    await writer.drain()
    writer.close()


async def test_server_that_sends_clients_away_puts_nothing_on_standard_error():
    """What it says is an error of ours, and nothing else is written, whatever was opened first."""
    async with await asyncio.start_server(_send_away, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", _PROGRAM, f"127.0.0.1:{port}"),
            env={"PYTHONPATH": str(_ROOT)},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        said, complained = await process.communicate()

    assert said == b"told\n"
    assert complained == b""

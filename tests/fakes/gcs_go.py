"""fake-gcs-server, another program's idea of Cloud Storage, as a process of its own."""

import contextlib
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

_START_SECONDS = 10.0
_TRIES = 5


@contextlib.contextmanager
def fake_gcs_server(program: str) -> Iterator[str]:
    """A server without buckets, in memory, for as long as the block lasts; yields its URL.

    It cannot say which port it chose, so it is given one; it is started again where somebody else
    takes that port first.
    """
    for _ in range(_TRIES):
        with socket.create_server(("127.0.0.1", 0)) as chosen:
            address = f"127.0.0.1:{chosen.getsockname()[1]}"
        process = subprocess.Popen(_command(program, address))
        try:
            if _answers(process, f"http://{address}"):
                yield f"http://{address}"
                return
        finally:
            process.kill()
            process.wait()
    raise RuntimeError("no port was free")


def make_bucket(url: str, name: str) -> None:
    """Make a bucket."""
    body = f'{{"name": "{name}"}}'.encode()
    with urllib.request.urlopen(f"{url}/storage/v1/b?project=p", data=body):  # noqa: S310  (it is http)
        """It answers when it is done."""


def _command(program: str, address: str) -> list[str]:
    host, _, port = address.partition(":")
    place = ["-scheme", "http", "-host", host, "-port", port, "-public-host", address]
    return [program, *place, "-backend", "memory", "-log-level", "error"]


def _answers(process: subprocess.Popen, url: str) -> bool:
    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        with (
            contextlib.suppress(urllib.error.URLError),
            urllib.request.urlopen(f"{url}/storage/v1/b"),  # noqa: S310  (it is http)
        ):
            return True
    return False

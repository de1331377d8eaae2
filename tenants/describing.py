"""Has tool modules described by a process of their own, which they may hang or end.

One process serves one module after the other and is replaced when it is lost.
"""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import attrs
import msgspec

from tenants.describer import LENGTH, Described, Request
from tenants.errors import Fault, TenantsError

LIMIT_SECONDS = 10.0
_INHERITED = {"LANG", "LD_LIBRARY_PATH", "PATH", "PYTHONDONTWRITEBYTECODE", "PYTHONHOME", "TZ"}
_decoder = msgspec.msgpack.Decoder(Described)


@attrs.frozen
class _LostError(TenantsError):
    """The process ended before it answered."""


class Describer:
    """Describes tool modules, one at a time; it may be shared by threads.

    Args:
        limit_seconds: for one module; then the process is ended.
    """

    def __init__(self, limit_seconds: float = LIMIT_SECONDS) -> None:
        self._limit_seconds = limit_seconds
        self._turn = threading.Lock()
        self._child: _Child | None = None
        self._closed = False

    def describe(
        self, source: bytes, file: str, offered: tuple[str, ...] | None = None
    ) -> Described:
        """Have a module described; blocks. What it does to the process is in its ``faults``.

        Args:
            source: Python.
            file: its name in messages, such as ``tools.py``.
            offered: the names of the functions to describe; None: all of ``TOOL_MAP``.

        Raises:
            OSError: no process can be started.
        """
        message = msgspec.msgpack.encode(Request(source, file, offered))
        with self._turn:
            try:
                return self._ask(LENGTH.pack(len(message)) + message)
            except TimeoutError:
                return _faulty(file, f"importing took over {self._limit_seconds:g} s")
            except _LostError:
                return _faulty(file, "importing it ended the process that reads it")

    def close(self) -> None:
        """End the process; a module that it reads just now, and any later one, is a fault."""
        self._closed = True
        child = self._child
        if child is not None:
            child.kill()
        with self._turn:
            self._end()

    def _ask(self, message: bytes) -> Described:
        if self._child is not None:
            # What an earlier module left behind may end the process, which is not this one's fault.
            with suppress(_LostError):
                return self._ask_child(self._child, message)
        if self._closed:
            raise _LostError
        self._child = _Child()
        return self._ask_child(self._child, message)

    def _ask_child(self, child: "_Child", message: bytes) -> Described:
        try:
            return child.ask(message, self._limit_seconds)
        except BaseException:
            self._end()
            raise

    def _end(self) -> None:
        if self._child is not None:
            self._child.end()
            self._child = None


class _Child:
    """The process, from its start to its end."""

    def __init__(self) -> None:
        self._connection, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                # -P: a folder named `tenants` where the operator happens to be is not ours.
                (sys.executable, "-uP", "-m", "tenants.describer"),
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                env=_environment(os.environ),
                start_new_session=True,  # so that it ends together with what modules started
            )
        self.end = weakref.finalize(self, _end, self._process, self._connection)

    def ask(self, message: bytes, limit_seconds: float) -> Described:
        """Send a message and wait for the answer.

        Raises:
            TimeoutError: it does not answer in time.
            _LostError: it ended, or what it says makes no sense.
        """
        deadline = time.monotonic() + limit_seconds
        try:
            self._connection.settimeout(limit_seconds)
            self._connection.sendall(message)
            (length,) = LENGTH.unpack(self._exactly(LENGTH.size, deadline))
            return _decoder.decode(self._exactly(length, deadline))
        except TimeoutError:
            raise
        except (OSError, msgspec.MsgspecError):
            raise _LostError from None

    def kill(self) -> None:
        """End it, while another thread may wait for its answer."""
        _kill(self._process)

    def _exactly(self, length: int, deadline: float) -> bytes:
        parts = bytearray()
        while len(parts) < length:
            # Zero would mean not to wait, and another error.
            self._connection.settimeout(max(deadline - time.monotonic(), 0.001))
            part = self._connection.recv(min(length - len(parts), 65_536))
            if not part:
                raise _LostError
            parts += part
        return bytes(parts)


def _end(process: "subprocess.Popen[bytes]", connection: socket.socket) -> None:
    _kill(process)
    process.wait()
    connection.close()


def _kill(process: "subprocess.Popen[bytes]") -> None:
    """End it and what it started; its number is its own until it is waited for."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _environment(variables: Mapping[str, str]) -> dict[str, str]:
    """Enough for Python and for what this process can import; no setting, no secret."""
    kept = {
        name: value
        for name, value in variables.items()
        if name in _INHERITED or name.startswith("LC_")
    }
    return {**kept, "PYTHONPATH": os.pathsep.join(path or str(Path.cwd()) for path in sys.path)}


def _faulty(file: str, message: str) -> Described:
    return Described(faults=(Fault(file, "", message),))


DESCRIBER = Describer()

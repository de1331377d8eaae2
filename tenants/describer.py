"""A process that imports tenants' tool modules to describe their functions, and nothing else.

``tenants.describing`` starts it and asks it over the socket that is its standard input and output;
see ``Request`` and ``Described``. What modules print goes to standard error. It ends with the
process that started it: a thread that waits for requests sees the socket close. It also ends when
nothing was asked of it for a while; ``tenants.describing`` then starts another one.
"""

import os
import queue
import struct
import threading
import traceback
from collections.abc import Mapping

import attrs
import msgspec

from tenants.errors import Fault
from tenants.modules import load_module

LENGTH = struct.Struct(">I")  # of the message that follows it, in bytes
REST_SECONDS = 3.0  # without a request; then it ends, since it holds 18 MB and starts in 0.1 s


@attrs.frozen
class Request:
    """A module to describe; see ``tenants.modules.load_module``."""

    source: bytes
    file: str
    offered: tuple[str, ...] | None = None


@attrs.frozen
class Described:
    """What a tool module offers.

    Args:
        functions: the Responses API's tool object, encoded, by name.
        faults: what is wrong; then not all functions are there.
    """

    functions: Mapping[str, bytes] = attrs.field(factory=dict)
    faults: tuple[Fault, ...] = ()


_decoder = msgspec.msgpack.Decoder(Request)


def main() -> None:
    """Answer requests, one after the other, until the socket closes."""
    requests, answers = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    # A process that a module forks must not answer in this one's place.
    os.register_at_fork(after_in_child=lambda: os.dup2(nothing, answers))
    waiting: queue.SimpleQueue[Request] = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(requests, waiting), daemon=True).start()
    try:
        _answer(waiting, answers)
    except BaseException:  # noqa: BLE001  (whatever it is, threads of modules must not keep it)
        traceback.print_exc()
    os._exit(os.EX_SOFTWARE)


def _answer(waiting: "queue.SimpleQueue[Request]", answers: int) -> None:
    """Answer until a module has forked and this is the process that it made, or nobody asks."""
    process_id = os.getpid()
    while os.getpid() == process_id:
        try:
            request = waiting.get(timeout=REST_SECONDS)
        except queue.Empty:
            os._exit(os.EX_OK)
        _send(answers, _described(request))


def _receive(descriptor: int, waiting: "queue.SimpleQueue[Request]") -> None:
    """Read requests; end the process where there are no more, whatever it does just then."""
    while True:
        (length,) = LENGTH.unpack(_exactly(descriptor, LENGTH.size))
        waiting.put(_decoder.decode(_exactly(descriptor, length)))


def _exactly(descriptor: int, length: int) -> bytes:
    parts = bytearray()
    while len(parts) < length:
        part = os.read(descriptor, length - len(parts))
        if not part:
            os._exit(os.EX_OK)
        parts += part
    return bytes(parts)


def _described(request: Request) -> Described:
    module = load_module(request.source, request.file, request.offered)
    module.close()
    functions = {_text(name): each.schema for name, each in module.functions.items()}
    return Described(functions, tuple(map(_sendable, module.faults)))


def _sendable(fault: Fault) -> Fault:
    return Fault(_text(fault.file), _text(fault.field), _text(fault.message), fault.line)


def _text(text: str) -> str:
    """A module's text as a plain string that has an encoding."""
    return str.encode(text, "utf-8", "replace").decode()


def _send(descriptor: int, described: Described) -> None:
    message = msgspec.msgpack.encode(described)
    rest = memoryview(LENGTH.pack(len(message)) + message)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


if __name__ == "__main__":
    main()

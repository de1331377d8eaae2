"""Server-sent events from bytes that are cut anywhere.

The framing is the HTML standard's ("9.2.6 Interpreting an event stream"), but that an event
without data is none; ``[DONE]``, which some upstreams append, ends the stream.
"""

from typing import TypeAlias

from gateway.engines.errors import Cause, EngineError

ServerSentEvent: TypeAlias = tuple[str | None, bytes]

# A whole image in base64 may ride on one event; more than this is a stream without end.
MOST_PENDING_BYTES = 16 * 1024 * 1024

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_DONE = b"[DONE]"
_BLANK = b"\n\n"  # the end of an event's last line, and the line without anything


class Splitter:
    """Turns the chunks of one stream into its events.

    Args:
        most_pending_bytes: how much may come without the blank line that ends an event.
    """

    __slots__ = ("_after_cr", "_most_pending_bytes", "_opened", "_pending", "ended")

    def __init__(self, most_pending_bytes: int = MOST_PENDING_BYTES) -> None:
        self.ended = False
        self._most_pending_bytes = most_pending_bytes
        self._pending = bytearray()
        self._after_cr = False
        self._opened = False

    def feed(self, chunk: bytes) -> list[ServerSentEvent]:
        """Take the next bytes.

        Returns:
            The events that they complete: the name, where one was given, and the data. None once
            ``[DONE]`` has come, which ``ended`` says.

        Raises:
            EngineError: BROKEN; more than ``most_pending_bytes`` came and no event ended.
        """
        whole = self._whole_events(self._with_line_feeds(chunk))
        if not whole:
            if len(self._pending) > self._most_pending_bytes:
                detail = f"an event of more than {self._most_pending_bytes} bytes"
                raise EngineError(Cause.BROKEN, detail=detail)
            return []
        *lines, _ = whole.split(b"\n")
        return [] if self.ended else _plain_events(lines) or self._read(lines)

    def _with_line_feeds(self, chunk: bytes) -> bytes:
        """CR and CRLF as LF; a CRLF may be cut between two chunks."""
        if self._after_cr and chunk:
            chunk = chunk.removeprefix(b"\n")
            self._after_cr = False
        if b"\r" in chunk:
            self._after_cr = chunk.endswith(b"\r")
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        return chunk

    def _whole_events(self, chunk: bytes) -> bytes:
        """What is whole by now, up to a blank line; only what is new is searched for one."""
        pending = self._pending
        end = chunk.rfind(_BLANK) + len(_BLANK)
        if end < len(_BLANK):
            if not (pending.endswith(b"\n") and chunk.startswith(b"\n")):
                pending += chunk
                return b""
            end = 1
        whole = bytes(pending) + chunk[:end] if pending else chunk[:end]
        pending[:] = chunk[end:]
        if not self._opened:
            self._opened = True
            whole = whole.removeprefix(_BYTE_ORDER_MARK)
        return whole

    def _read(self, lines: list[bytes]) -> list[ServerSentEvent]:
        """Events of any form, line by line."""
        name: str | None = None
        data: list[bytes] = []
        events: list[ServerSentEvent] = []
        for line in lines:
            if not line:
                joined = b"\n".join(data)
                if joined == _DONE:
                    self.ended = True
                    break
                if joined:
                    events.append((name, joined))
                name, data = None, []
            elif line.startswith(b"event:"):
                name = _name(line)
            elif line.startswith(b"data:") or line == b"data":
                data.append(line[5:].removeprefix(b" "))
        return events


def _plain_events(lines: list[bytes]) -> list[ServerSentEvent] | None:
    """Events of a name, a line of data and nothing else, as nearly all are; else None."""
    if len(lines) % 3 or any(lines[2::3]):
        return None
    heads = lines[::3]
    names = {head: _name(head) for head in set(heads)}
    data = [line[6:] for line in lines[1::3] if line[:6] == b"data: "]
    if None in names.values() or len(data) < len(heads) or b"" in data or _DONE in data:
        return None
    return list(zip(map(names.__getitem__, heads), data, strict=True))


def _name(line: bytes) -> str | None:
    """What a line names an event; None for other lines."""
    if line[:6] != b"event:":
        return None
    return line[6:].removeprefix(b" ").decode(errors="replace") or None

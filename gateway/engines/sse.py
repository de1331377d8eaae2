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


class Splitter:
    """Turns the chunks of one stream into its events.

    Args:
        most_pending_bytes: how much may come without the blank line that ends an event.
    """

    def __init__(self, most_pending_bytes: int = MOST_PENDING_BYTES) -> None:
        self.ended = False
        self._most_pending_bytes = most_pending_bytes
        self._pending_bytes = 0
        self._line = bytearray()
        self._name: str | None = None
        self._data: list[bytes] = []
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
        lines = self._whole_lines(self._with_line_feeds(chunk))
        if b"" in lines:
            self._pending_bytes = len(self._line)
        elif self._pending_bytes > self._most_pending_bytes:
            detail = f"an event of more than {self._most_pending_bytes} bytes"
            raise EngineError(Cause.BROKEN, detail=detail)
        if self.ended:
            return []
        return self._read_plain(lines) or self._read(lines)

    def _with_line_feeds(self, chunk: bytes) -> bytes:
        """CR and CRLF as LF; a CRLF may be cut between two chunks."""
        if self._after_cr and chunk:
            chunk = chunk.removeprefix(b"\n")
            self._after_cr = False
        if b"\r" in chunk:
            self._after_cr = chunk.endswith(b"\r")
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        return chunk

    def _whole_lines(self, chunk: bytes) -> list[bytes]:
        """The lines that end in this chunk; only what is new is searched for their ends."""
        self._pending_bytes += len(chunk)
        if self._line:
            self._line += chunk
            if b"\n" not in chunk:
                return []
            chunk = bytes(self._line)
            self._line.clear()
        *lines, rest = chunk.split(b"\n")
        self._line += rest
        if lines and not self._opened:
            self._opened = True
            lines[0] = lines[0].removeprefix(_BYTE_ORDER_MARK)
        return lines

    def _read_plain(self, lines: list[bytes]) -> list[ServerSentEvent] | None:
        """Events of a name, a line of data and nothing else, as nearly all are; else None."""
        if self._name is not None or self._data or len(lines) % 3 or any(lines[2::3]):
            return None
        heads = lines[::3]
        names = {head: _name(head) for head in set(heads)}
        data = [line[6:] for line in lines[1::3] if line[:6] == b"data: "]
        if None in names.values() or len(data) < len(heads) or b"" in data or _DONE in data:
            return None
        return list(zip(map(names.__getitem__, heads), data, strict=True))

    def _read(self, lines: list[bytes]) -> list[ServerSentEvent]:
        """One loop almost without calls, since it turns three times for each event of a stream."""
        name, data, events = self._name, self._data, []
        for line in lines:
            if not line:
                whole = data[0] if len(data) == 1 else b"\n".join(data)
                if whole == _DONE:
                    self.ended = True
                    break
                if whole:
                    events.append((name, whole))
                name, data = None, []
                continue
            field = line[:6]
            if field == b"data: ":
                data.append(line[6:])
            elif field == b"event:":
                name = _name(line)
            elif field[:5] == b"data:" or line == b"data":
                data.append(line[5:])
        self._name, self._data = name, data
        return events


def _name(line: bytes) -> str | None:
    """What a line names an event; None for other lines."""
    if line[:6] != b"event:":
        return None
    return line[6:].removeprefix(b" ").decode(errors="replace") or None

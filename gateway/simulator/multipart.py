"""Bodies of the type ``multipart/form-data`` (RFC 7578), as uploads of files come."""

import re

import attrs

from gateway.simulator.errors import RefusedError

_BOUNDARY = re.compile(r'multipart/form-data\s*;.*?boundary="?([^";,\s]{1,70})"?', re.IGNORECASE)
_NAME = re.compile(r'[;\s]name="((?:[^"\\]|\\.)*)"', re.IGNORECASE)
_FILENAME = re.compile(r'[;\s]filename="((?:[^"\\]|\\.)*)"', re.IGNORECASE)
_ESCAPED = re.compile(r"%(22|0A|0D)|\\(.)", re.IGNORECASE)


@attrs.frozen
class Part:
    """One field of a form.

    Args:
        filename: None where it is not a file.
    """

    name: str
    content: bytes
    filename: str | None = None


def read_parts(content_type: str, body: bytes) -> dict[str, Part]:
    """Read a form; of fields with one name the last counts.

    Raises:
        RefusedError: 400; this is no form, or it is cut off.
    """
    found = _BOUNDARY.match(content_type)
    pieces = (b"\r\n" + body).split(b"\r\n--" + found[1].encode()) if found else []
    if len(pieces) < 2 or not pieces[-1].startswith(b"--"):  # noqa: PLR2004 -- what is before, and the end
        raise RefusedError(400, "We could not parse the body of your multipart/form-data request.")
    parts = [part for piece in pieces[1:-1] if (part := _part(piece)) is not None]
    return {part.name: part for part in parts}


def _part(piece: bytes) -> Part | None:
    head, _, content = piece.partition(b"\r\n\r\n")
    disposition = head.decode(errors="replace")
    name, filename = _NAME.search(disposition), _FILENAME.search(disposition)
    if name is None:
        return None
    return Part(_plain(name[1]), content, _plain(filename[1]) if filename else None)


def _plain(quoted: str) -> str:
    """A name without its escapes: browsers and httpx write ``%22``, others a backslash."""
    return _ESCAPED.sub(lambda found: found[2] or bytes.fromhex(found[1]).decode("ascii"), quoted)

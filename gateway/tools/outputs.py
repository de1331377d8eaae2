"""What a model is told of a function's result: text, bounded to 64 KiB."""

import msgspec

from gateway.tools.errors import OutputError

LONGEST_OUTPUT_BYTES = 65_536
_NOTICE = "\n[The output was cut here: it had {} bytes, more than the {} that fit.]"


def output_text(result: object) -> str:
    """A function's result as text.

    Text stays as it is; anything else becomes JSON, in which NaN and infinities are null.

    Raises:
        OutputError: it has no JSON form.
    """
    if isinstance(result, bytes | bytearray | memoryview):
        raise OutputError("bytes are no text: decode them")
    try:
        text = result if isinstance(result, str) else msgspec.json.encode(result).decode()
    except (TypeError, ValueError, RecursionError) as error:
        raise OutputError(str(error)) from error
    return bounded(text)


def bounded(text: str) -> str:
    """The text within the bound, cut between two characters, with a line that says so.

    Lone surrogates, which no JSON can carry, become question marks.
    """
    encoded = text.encode("utf-8", "replace")
    if len(encoded) <= LONGEST_OUTPUT_BYTES:
        return encoded.decode()
    notice = _NOTICE.format(f"{len(encoded):,}", f"{LONGEST_OUTPUT_BYTES:,}")
    room = LONGEST_OUTPUT_BYTES - len(notice)
    return encoded[:room].decode("utf-8", "ignore") + notice

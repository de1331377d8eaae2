"""Sending an answer as its script wants it: at once or paced, whole or broken."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from itertools import count
from typing import Any, TypeAlias

from gateway.simulator.directives import Place, Script
from gateway.simulator.stream import Stream

Event: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Event]]
Send: TypeAlias = Callable[[Event], Awaitable[None]]
Headers: TypeAlias = list[tuple[bytes, bytes]]

_ENDLESS_PAUSE_SECONDS = 0.005
_LAST_ASCII = 0x7F
_GARBAGE = b"<html>This is not JSON.</html>"


async def gone(receive: Receive) -> None:
    """Wait until the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def pause(receive: Receive, seconds: float) -> bool:
    """Wait, and say whether the client went in the meantime."""
    try:
        async with asyncio.timeout(seconds):
            await gone(receive)
    except TimeoutError:
        return False
    return True


async def play_stream(
    stream: Stream, script: Script, headers: Headers, receive: Receive, send: Send
) -> None:
    """Send a stream of events.

    A cut leaves the body unfinished, upon which the server closes the connection.
    """
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for paced, data in _writes(stream, script):
        if paced and script.delay_seconds and await pause(receive, script.delay_seconds):
            return
        await _write(send, data, script.chunk_bytes)
    if script.endless:
        first = stream.paced[0] if stream.paced else len(stream.frames)
        await _forever(stream.another, first, script, receive, send)
    else:
        await _finish(script, receive, send)


async def play_json(
    body: bytes, script: Script, headers: Headers, receive: Receive, send: Send
) -> None:
    """Send an unstreamed answer."""
    if script.delay_seconds and await pause(receive, script.delay_seconds):
        return
    body = _GARBAGE if script.garbage else body
    sized = [(b"content-length", b"%d" % len(body))]
    chunked = script.endless or script.clean
    headers = headers if chunked else headers + sized
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    if script.endless:
        await _forever(lambda _: b"        ", 0, script, receive, send)
        return
    await _write(send, _part_of(body, script.silence or script.cut), script.chunk_bytes)
    await _finish(script, receive, send)


async def _finish(script: Script, receive: Receive, send: Send) -> None:
    """End the body, or don't."""
    if script.silence:
        await gone(receive)
    elif script.cut is None or script.clean:
        await send({"type": "http.response.body", "body": b""})


async def _forever(
    another: Callable[[int], bytes], first: int, script: Script, receive: Receive, send: Send
) -> None:
    for number in count(first):
        if await pause(receive, script.delay_seconds or _ENDLESS_PAUSE_SECONDS):
            return
        await _write(send, another(number), None)


async def _write(send: Send, data: bytes, chunk: int | None) -> None:
    """Send bytes, in one write or in chunks."""
    size = chunk or len(data) or 1
    for start in range(0, len(data), size):
        await send(
            {"type": "http.response.body", "body": data[start : start + size], "more_body": True}
        )
        if chunk:
            await asyncio.sleep(0)


def _writes(stream: Stream, script: Script) -> Iterator[tuple[bool, bytes]]:
    """What is written at once, and whether it waits for its turn."""
    frames = _played(stream, script)
    paced = stream.paced if script.delay_seconds else []
    start = 0
    for position in (position for position in paced if position < len(frames)):
        yield False, b"".join(frames[start:position])
        yield True, frames[position]
        start = position + 1
    yield False, b"".join(frames[start:])


def _played(stream: Stream, script: Script) -> list[bytes]:
    """The frames that are sent; the last of them may be a part of one."""
    frames = list(stream.frames)
    if script.garbage:
        frames[1] += stream.garbage
    if script.endless and stream.paced:
        return frames[: stream.paced[0]]
    return _until(frames, script.silence or script.cut)


def _until(frames: list[bytes], place: Place | None) -> list[bytes]:
    """The frames up to a place."""
    if place is None or place.events >= len(frames):
        return frames
    whole, rest = frames[: place.events], frames[place.events :]
    wide = next((at for at, frame in enumerate(rest) if not frame.isascii()), None)
    if place.inside == "character" and wide is not None:
        return [*whole, *rest[:wide], _within_character(rest[wide])]
    return [*whole, rest[0][: len(rest[0]) // 2]] if place.inside else whole


def _within_character(frame: bytes) -> bytes:
    """A frame up to the first byte of its first character of several."""
    return frame[: 1 + next(at for at, byte in enumerate(frame) if byte > _LAST_ASCII)]


def _part_of(body: bytes, place: Place | None) -> bytes:
    """An unstreamed body up to a place: none of it, or half."""
    if place is None:
        return body
    return body[: len(body) // 2] if place.events else b""

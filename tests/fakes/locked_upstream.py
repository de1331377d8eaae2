"""An upstream that accepts some keys alone: the simulator behind a lock.

Use it as an asynchronous context manager::

    async with LockedUpstream("sk-1") as upstream:
        upstream.accepted = {"sk-2"}
        ...  # upstream.base_url, upstream.keys
"""

from collections.abc import Callable
from typing import Any

import msgspec

from gateway.simulator.playing import Event, Receive, Send
from tests.fakes.simulator import RecordingSimulator

_REFUSAL = {
    "error": {
        "message": "Incorrect API key provided.",
        "type": "invalid_request_error",
        "param": None,
        "code": "invalid_api_key",
    }
}


class LockedUpstream(RecordingSimulator):
    """A simulator that answers 401 to any other key.

    Attributes:
        accepted: the keys that it takes now.
        keys: the keys that it was shown, in order.
        refused: how many of them it did not take.
        when_shown: called with each key before it is looked at.
    """

    def __init__(self, *keys: str) -> None:
        super().__init__()
        self.accepted = set(keys)
        self.keys: list[str] = []
        self.refused = 0
        self.when_shown: Callable[[str], None] = lambda _: None
        self._simulated: Any = self.app
        self.app: Any = self._locked

    async def _locked(self, scope: Event, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        key = headers[b"authorization"].decode().removeprefix("Bearer ")
        self.keys.append(key)
        self.when_shown(key)
        if key in self.accepted:
            await self._simulated(scope, receive, send)
            return
        self.refused += 1
        while (await receive()).get("more_body"):
            pass
        content_type = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 401, "headers": content_type})
        await send({"type": "http.response.body", "body": msgspec.json.encode(_REFUSAL)})

"""One turn of a terminal conversation: what it asks, and how far its events have come."""

import secrets
from typing import Any

import attrs

ENDS = frozenset({"completed", "failed", "incomplete", "cancelled", "expired"})
ANSWER = "answer"
"""The name of the one event of a turn over JSON, whose data is the whole answer."""
_RUN = "thread.run."


@attrs.frozen
class Event:
    """One event of a turn.

    Args:
        name: as the gateway names it, such as ``thread.message.delta``.
        data: its object.
        id: ``<run id>-<n>``; None where it has none.
    """

    name: str
    data: Any
    id: str | None = None


@attrs.define
class Turn:
    """A message, and what is known of its answer.

    Args:
        thread_id: of the conversation.
        key: the ``Idempotency-Key`` under which the message may be sent again.
        run_id: None until the run is known.
        last: the id of the newest event.
        status: how the run ended; None while it works.
    """

    message: str
    thread_id: str | None
    key: str = attrs.field(factory=lambda: secrets.token_hex(16))
    run_id: str | None = None
    last: str | None = None
    status: str | None = None

    def note(self, event: Event) -> None:
        """Keep what an event says of the turn itself."""
        self.last = event.id or self.last
        if event.name == ANSWER:
            self._know(event.data["run_id"], event.data["thread_id"])
            self.status = event.data["status"]
        if event.name == f"{_RUN}created":
            self._know(event.data["id"], event.data["thread_id"])
        if event.name.removeprefix(_RUN) in ENDS:
            self.status = event.data["status"]

    def _know(self, run_id: str, thread_id: str) -> None:
        self.run_id, self.thread_id = run_id, thread_id

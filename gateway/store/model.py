"""What is stored: threads, their items, runs."""

import attrs

TERMINAL = frozenset({"completed", "incomplete", "failed", "cancelled", "expired"})


@attrs.frozen
class Thread:
    """A conversation.

    Args:
        created_at: Unix time in seconds, as every time here.
        user: the end user who started it; None where a program did for nobody in particular.
    """

    id: str
    created_at: int
    metadata: dict[str, str] = attrs.field(factory=dict)
    user: str | None = None


@attrs.frozen
class Item:
    """One item of a thread, in the Responses item form.

    Args:
        id: ours, never the upstream's.
        type: the Responses item type: ``message``, ``function_call``, ``reasoning``, …
        role: of a message: ``user`` or ``assistant``; else None.
        status: ``completed`` or ``incomplete``.
        incomplete_reason: of a message, in the Assistants API's words: ``max_tokens``,
            ``content_filter``, ``run_cancelled``, ``run_expired`` or ``run_failed``.
        payload: JSON as an upstream takes it in ``input``: without the upstream's ids.
        origin: what made it (upstream and credential), for what only its maker can read again.
    """

    id: str
    type: str
    created_at: int
    payload: bytes
    run_id: str | None = None
    role: str | None = None
    assistant_id: str | None = None
    status: str = "completed"
    incomplete_reason: str | None = None
    completed_at: int | None = None
    origin: str | None = None
    metadata: dict[str, str] = attrs.field(factory=dict)


@attrs.frozen
class Fence:
    """Who may write a run: every write is conditional on it and on a status not terminal."""

    run_id: str
    owner: str
    epoch: int


@attrs.frozen
class Key:
    """An ``Idempotency-Key`` as it is kept, for 24 hours.

    Args:
        scope: the credential and the session's user, hashed; empty where there is neither.
        body: the hash of the request's body.
    """

    scope: str
    key: str
    body: str


@attrs.frozen
class RunBegin:
    """A run that starts to exist.

    Args:
        thread: set where the run creates its thread.
        items: what the client adds to the thread, such as its message.
        head: the ``gateway.run.created`` event, encoded.
    """

    fence: Fence
    thread_id: str
    assistant_id: str
    model: str
    created_at: int
    correlation_id: str
    head: bytes
    items: tuple[Item, ...]
    thread: Thread | None = None
    key: Key | None = None


@attrs.frozen
class RunEnd:
    """A run that ends.

    Args:
        ending: the ``gateway.run.ended`` event, encoded.
        items: what it adds to its thread.
        events: its log, encoded; None where it is larger than what is kept.
    """

    fence: Fence
    status: str
    ended_at: int
    ending: bytes
    items: tuple[Item, ...]
    events: bytes | None


@attrs.frozen
class Run:
    """A run as stored.

    Args:
        ending: None while it works.
    """

    id: str
    thread_id: str
    assistant_id: str
    model: str
    status: str
    created_at: int
    correlation_id: str
    head: bytes
    ended_at: int | None = None
    ending: bytes | None = None


@attrs.frozen
class Page:
    """Which part of a list: ids as cursors, as OpenAI's API has them.

    Args:
        limit: 1 to 100.
        order: ``asc`` or ``desc`` by creation.
        after: the id that the page follows, in this order.
        before: the id that the page precedes, in this order.
    """

    limit: int = 20
    order: str = "desc"
    after: str | None = None
    before: str | None = None

"""What a run asks of an engine: open a call, read its events in the batches they came in."""

from collections.abc import Sequence
from typing import Protocol

import attrs

from gateway.engines.events import Event
from tenants.compiled import Assistant


@attrs.frozen
class Credential:
    """One upstream account.

    Args:
        base_url: without a trailing slash.
        api_key: its value; never logged, never shown.
    """

    base_url: str
    api_key: str = attrs.field(repr=False)


@attrs.frozen
class Call:
    """One call of a model: a round of a run.

    Args:
        assistant: instructions, tools and model, prepared once a revision.
        input: the conversation so far as encoded Responses items, oldest first.
        stream: False asks for one unstreamed answer, which comes as the few events it stands for.
        tools_allowed: False forbids further function calls (``tool_choice: "none"``).
        prompt_cache_key: one a tenant.
    """

    assistant: Assistant
    credential: Credential
    input: Sequence[bytes]
    stream: bool
    tools_allowed: bool
    prompt_cache_key: str
    correlation_id: str


class Answer(Protocol):
    """An upstream's answer from its response head on."""

    def arrived(self) -> list[Event]:
        """The events that are there already, perhaps none; never waits, and leaves failures."""
        ...

    async def read(self) -> list[Event]:
        """The next events that came together; an empty list once the upstream has ended.

        Raises:
            EngineError: the stream broke, fell silent for too long or could not be read. Events
                that came before were returned first.
        """
        ...

    async def close(self) -> None:
        """Let go of the connection; may be called at any time and more than once."""
        ...


class Engine(Protocol):
    """A way to call models."""

    async def open(self, call: Call) -> Answer:
        """Send the call and wait for the upstream's response head; retries are in here.

        Raises:
            EngineError: no good response head came.
        """
        ...

"""The shapes of what the API takes and answers, as JSON Schema components of its document."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from gateway.http.wire import MAX_MESSAGE
from gateway.runs.projections.assistants_wire import Message

ThreadId = Annotated[str, Meta(examples=["thread_fb92669833174f60a5dadeac"])]
RunId = Annotated[str, Meta(examples=["run_8d30483d075b931d1c0713b2"])]
CorrelationId = Annotated[
    str,
    Meta(description="The one of the header `X-Correlation-ID`.", examples=["42f759aeda8c098d"]),
]
Seconds = Annotated[int, Meta(description="Unix time in seconds.", examples=[1795254840])]
_JSON = {"contentMediaType": "application/json"}
Said = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=MAX_MESSAGE,
        pattern=r"^[^\x00]*[^\s\x00][^\x00]*$",
        description="Not counting white space around it; no NUL.",
        examples=["What is the weather in Paris?"],
    ),
]
Metadata = Annotated[
    dict[
        Annotated[str, Meta(max_length=64, pattern=r"^[^\x00]*$")],
        Annotated[str, Meta(max_length=512, pattern=r"^[^\x00]*$")],
    ],
    Meta(max_length=16, description="Kept with the thread.", examples=[{"channel": "web"}]),
]


EndUser = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=255,
        description="Printable. Required, but for anybody's session of a public chat.",
        examples=["ada"],
    ),
]


class StartRequest(msgspec.Struct, forbid_unknown_fields=True):
    """What a new thread is to carry; may be left out."""

    metadata: Metadata | UnsetType | None = UNSET


class ChatRequest(msgspec.Struct):
    """A message for a thread. Unknown fields are ignored."""

    message: Said
    thread_id: (
        Annotated[
            str | None,
            Meta(description="Absent, null, empty or `new` starts a thread.", examples=["new"]),
        ]
        | UnsetType
    ) = UNSET


class SessionRequest(msgspec.Struct, forbid_unknown_fields=True):
    """A session that is asked for."""

    user: EndUser | UnsetType | None = UNSET
    thread_id: (
        Annotated[str | None, Meta(description="The one thread that it is to reach.")] | UnsetType
    ) = UNSET
    ttl_seconds: Annotated[int, Meta(ge=1, le=3600, description="3600 if absent.")] | UnsetType = (
        UNSET
    )
    origin: (
        Annotated[
            str | None,
            Meta(
                description="The one origin whose pages may use it.",
                examples=["https://acme.example"],
            ),
        ]
        | UnsetType
    ) = UNSET


class SessionStarted(msgspec.Struct):
    """A session token, and when it dies."""

    token: Annotated[str, Meta(pattern="^ags_")]
    expires_at: Seconds


class ThreadStarted(msgspec.Struct):
    """A new thread, and how its assistant greets."""

    thread_id: ThreadId
    initial_message: str
    correlation_id: CorrelationId


class Usage(msgspec.Struct):
    """Tokens of a whole run."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class IncompleteDetails(msgspec.Struct):
    """Why an answer is not whole."""

    reason: Literal["max_output_tokens", "content_filter"]


class ChatAnswer(msgspec.Struct):
    """An answer, once its run has ended."""

    responses: Annotated[list[str], Meta(description="A string for each text of the answer.")]
    thread_id: ThreadId
    run_id: RunId
    status: Literal["completed", "incomplete"]
    correlation_id: CorrelationId
    usage: Usage
    incomplete_details: IncompleteDetails | UnsetType = UNSET


class StreamEvent(msgspec.Struct):
    """One event of a stream, by the names of its lines."""

    event: Annotated[str, Meta(examples=["thread.message.delta"])]
    data: Annotated[str, Meta(description="JSON.", extra_json_schema=_JSON)]
    id: Annotated[str, Meta(description="An `error` has none.")] | UnsetType = UNSET
    retry: Annotated[int, Meta(description="On a run's first event.")] | UnsetType = UNSET


class MessagePage(msgspec.Struct):
    """A page of a thread's messages, objects of OpenAI's Assistants API v2."""

    object: Literal["list"]
    data: list[Message]
    first_id: str | None
    last_id: str | None
    has_more: bool


class ThreadDeleted(msgspec.Struct):
    """Nothing of the thread is left."""

    id: ThreadId
    object: Literal["thread.deleted"]
    deleted: bool


class RunError(msgspec.Struct):
    """Why a run failed."""

    code: str | None
    message: str | None


class RunState(msgspec.Struct):
    """How a run stands."""

    id: RunId
    object: Literal["thread.run"]
    thread_id: ThreadId
    assistant_id: str
    model: str
    status: Literal[
        "queued",
        "in_progress",
        "cancelling",
        "completed",
        "incomplete",
        "failed",
        "cancelled",
        "expired",
    ]
    created_at: Seconds
    ended_at: Seconds | None
    last_error: RunError | None
    usage: Usage | None
    correlation_id: CorrelationId


class Served(msgspec.Struct):
    """That the tenant is served."""

    message: str
    tenant_id: str
    assistant_id: str


class Alive(msgspec.Struct):
    """That the process is alive."""

    status: Literal["ok"]


class Readiness(msgspec.Struct):
    """Whether the process may take traffic, by what was checked."""

    status: Literal["ready", "not ready"]
    checks: dict[str, Literal["ok", "failed"]]


class Fault(msgspec.Struct):
    """One thing that is wrong with an input."""

    field: Annotated[str, Meta(description="Its path; empty for the whole body.")]
    message: str


class Problem(msgspec.Struct):
    """Why there is no answer (RFC 9457)."""

    type: Annotated[str, Meta(pattern="^urn:agw:[a-z-]+$", examples=["urn:agw:invalid-input"])]
    title: str
    status: int
    detail: str
    instance: str
    correlation_id: CorrelationId
    errors: list[Fault] | UnsetType = UNSET
    run_id: RunId | UnsetType = UNSET
    thread_id: ThreadId | UnsetType = UNSET
    run_status: str | UnsetType = UNSET


_REQUESTS = (StartRequest, ChatRequest, SessionRequest)
_ANSWERS = (
    ThreadStarted,
    SessionStarted,
    ChatAnswer,
    StreamEvent,
    MessagePage,
    ThreadDeleted,
    RunState,
    Served,
    Alive,
    Readiness,
    Problem,
)


def _schemas() -> Mapping[str, Any]:
    _, schemas = msgspec.json.schema_components(
        (*_REQUESTS, *_ANSWERS), ref_template="#/components/schemas/{name}"
    )
    # Our projections fill in every key of these, though their types have defaults.
    for name in ("Message", "TextBlock", "Text", "RefusalBlock"):
        schemas[name]["required"] = [*schemas[name]["properties"]]
    return schemas


SCHEMAS = _schemas()

"""What the log says, how, and what it never says."""

import asyncio
import io
import json
import logging
import warnings

import attrs
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from gateway.settings import Settings
from gateway.telemetry.logs import configure, json_line, keyvalue_line
from gateway.telemetry.redaction import REDACTED, is_secret_name

OPERATOR_KEY = "an-operators-own-form-of-key"
TENANT_SECRET = 'quoted"and\\slashed-secret'


class Terminal(io.BytesIO):
    """A file that says that it is a terminal."""

    def isatty(self):
        """As a terminal does."""
        return True


class Broken(io.BytesIO):
    """A file whose reader has gone."""

    def write(self, _line):
        """As a closed pipe does."""
        raise BrokenPipeError


@pytest.fixture(autouse=True)
def _logging_as_before():
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    logging.captureWarnings(capture=False)
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


@pytest.fixture
def log_to():
    """A function that configures the log and gives its logger and a reader of its lines."""

    def start(file=None, **options):
        file = io.BytesIO() if file is None else file
        secrets = {"AGW_ACME__CRM": TENANT_SECRET}
        configure(Settings(openai_api_key=OPERATOR_KEY, tenant_secrets=secrets, **options), file)
        return structlog.get_logger("test"), lambda: file.getvalue().decode().splitlines()

    return start


def test_a_line_is_one_json_object_with_time_level_and_context(log_to):
    """JSON lines carry a UTC time, the level, the event, its figures and the bound context."""
    log, lines = log_to()
    structlog.contextvars.bind_contextvars(correlation_id="corr-1")

    log.info("turn_answered", events=12)

    (line,) = map(json.loads, lines())
    assert list(line)[:3] == ["timestamp", "level", "event"]
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "level": "info",
        "event": "turn_answered",
        "events": 12,
        "correlation_id": "corr-1",
    }


def test_a_terminal_gets_keyvalue_lines(log_to):
    """Without LOG_FORMAT a person at a terminal reads words instead of JSON."""
    log, lines = log_to(Terminal())

    log.warning("tenant_rejected", tenant_id="acme", detail="two words", count=2, none=None)

    assert lines()[0].endswith(
        'warning tenant_rejected tenant_id=acme detail="two words" count=2 none=null'
    )


@pytest.mark.parametrize(("log_format", "is_json"), [("json", True), ("keyvalue", False)])
def test_the_format_can_be_chosen(log_to, log_format, is_json):
    """LOG_FORMAT wins over what the stream is."""
    log, lines = log_to(Terminal() if is_json else None, log_format=log_format)

    log.info("started")

    assert lines()[0].startswith("{") is is_json


def test_lines_below_the_level_are_not_written(log_to):
    """LOGGING_LEVEL is the least that is written, of ours and of libraries."""
    log, lines = log_to(log_level="ERROR")

    log.warning("quiet")
    logging.getLogger("uvicorn.error").warning("quiet")
    log.error("loud")

    assert [json.loads(line)["event"] for line in lines()] == ["loud"]


def test_libraries_lines_have_the_same_form(log_to):
    """uvicorn's, asyncio's and warnings' lines are rendered by the same chain."""
    _, lines = log_to()

    logging.getLogger("uvicorn.error").error("Bound to %s", "port")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old", DeprecationWarning, stacklevel=1)

    first, second = map(json.loads, lines())
    assert (first["event"], first["logger"], first["level"]) == (
        "Bound to port",
        "uvicorn.error",
        "error",
    )
    assert (second["logger"], second["level"]) == ("py.warnings", "warning")


def test_libraries_do_not_tell_frames_at_debug(log_to):
    """DEBUG is for the gateway; libraries at DEBUG would write messages' bodies."""
    _, lines = log_to(log_level="DEBUG")

    logging.getLogger("uvicorn.error").debug("> TEXT 'a user's message'")

    assert lines() == []


async def test_a_task_that_nobody_awaited_is_told(log_to):
    """What the event loop reports reaches the log with its traceback."""
    _, lines = log_to()

    loop = asyncio.get_running_loop()
    loop.call_exception_handler({"message": "lost", "exception": ValueError("boom")})

    line = json.loads(lines()[0])
    assert (line["event"], line["level"]) == ("lost", "error")
    assert "ValueError: boom" in line["exception"]


def _raise_with(text):
    raise RuntimeError(text)


def test_an_exception_comes_with_its_traceback(log_to):
    """The log, and it alone, has the traceback."""
    log, lines = log_to()

    try:
        _raise_with("boom")
    except RuntimeError:
        log.exception("request_failed")

    assert "_raise_with" in json.loads(lines()[0])["exception"]


def test_a_traceback_on_a_terminal_is_readable_and_cannot_pass_for_other_lines(log_to):
    """Each line of a traceback is marked, so that no exception's text looks like a log line."""
    log, lines = log_to(Terminal())

    try:
        _raise_with("boom\n2026-01-01T00:00:00Z info forged")
    except RuntimeError:
        log.exception("request_failed")

    assert len(lines()) > 3
    assert all(line.startswith("  | ") for line in lines()[1:])


PLANTED = [
    "sk-proj-planted0123456789",
    "agw_acme_" + "p" * 43 + "_abcdef",
    "Bearer planted.token/+==",
    "bearer planted",
    "Basic cGxhbnRlZDpwbGFudGVk",
    "eyJhbGciOiJIUzI1NiJ9.planted.planted",
    "https://x:planted@host/path",
    "wss://host/ws/chat?token=planted&x=1",
    "-----BEGIN RSA PRIVATE KEY-----\nplanted\n-----END RSA PRIVATE KEY-----",
    "-----BEGIN PRIVATE KEY-----\nplanted",
    OPERATOR_KEY,
    TENANT_SECRET,
]


@pytest.mark.parametrize("form", ["json", "keyvalue"])
@pytest.mark.parametrize("secret", PLANTED)
def test_no_secret_gets_into_the_log(log_to, secret, form):
    """In a field, a nested value, the event itself, a library's line or a traceback: blanked."""
    log, lines = log_to(log_format=form)

    log.info("field", url=secret)
    log.info("nested", values=[{"deep": (secret,)}])
    log.info("behind a line break", text=f"first\n{secret}")
    log.info(secret)
    log.info("object", error=ValueError(secret))
    logging.getLogger("aiohttp.client").error("calling %s", secret)
    try:
        _raise_with(f"upstream said:\n\t{secret}")
    except RuntimeError:
        log.exception("request_failed", response={"body": secret})

    text = "\n".join(lines())
    assert text.count(REDACTED) >= 8
    for part in ("planted", "cGxhbnRlZ", "pppp", OPERATOR_KEY, "slashed-secret"):
        assert part not in text
    if form == "json":
        assert all(json.loads(line) for line in lines())


@pytest.mark.parametrize(
    "name",
    [
        "authorization",
        "Authorization",
        "X-API-Key",
        "api_key",
        "openai_api_key",
        "token",
        "session_token",
        "password",
        "client_secret",
        "Set-Cookie",
        "credential",
        "private_key",
    ],
)
def test_fields_named_like_secrets_are_blanked(log_to, name):
    """Whatever a field of such a name holds, at any depth, is not written."""
    log, lines = log_to()

    log.info("x", **{name: "planted"})
    log.info("x", headers={name: ["planted"]})

    assert "planted" not in "\n".join(lines())


@pytest.mark.parametrize(
    "name",
    ["prompt_tokens", "time_to_first_token_ms", "tokens", "prompt_cache_key", "tenant_id", "key"],
)
def test_figures_are_not_taken_for_secrets(name):
    """Counts of tokens and ids stay readable."""
    assert not is_secret_name(name)


def test_objects_show_what_their_repr_shows(log_to):
    """A value object with a hidden field does not give it away by being logged whole."""

    @attrs.frozen
    class Account:
        user: str
        pin: str = attrs.field(repr=False)

    log, lines = log_to()

    log.info("x", account=Account("ann", "planted"))

    assert "ann" in lines()[0]
    assert "planted" not in lines()[0]


def test_a_log_without_a_reader_stops_nobody(log_to):
    """When the log's pipe is closed, work goes on."""
    log, _ = log_to(Broken())

    log.info("turn_answered")
    logging.getLogger("uvicorn.error").error("lost")


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner),
    max_leaves=5,
)


@given(st.dictionaries(st.text(min_size=1), anything), st.sampled_from([json_line, keyvalue_line]))
def test_anything_can_be_rendered_as_one_line(event, render):
    """No value breaks the log or its lines, lone surrogates and huge numbers included."""
    line = render({"event": "x"} | event)

    if "exception" not in event:
        assert b"\n" not in line
    if render is json_line:
        assert isinstance(json.loads(line), dict)

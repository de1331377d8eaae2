"""Runs in the vocabulary of the Assistants API, whatever an upstream sends and however it comes."""

from itertools import groupby

from hypothesis import given
from hypothesis import strategies as st

from gateway.runs.projections.assistants import AssistantsProjection
from gateway.runs.projections.dialect import CONVERSATION
from tests.fakes import run_logs as logs
from tests.fakes.assistants_oracle import check
from tests.fakes.projected import DIALECTS, ENDINGS, project
from tests.fakes.run_logs import LOGS, START_MS, whole

INDEX = st.integers(0, 2)
PIECE = st.sampled_from(["", "a", "b\n", "é", '"\\'])
ITEM = st.sampled_from(
    [
        logs.spoken(logs.output_text("ab\n", logs.CITATION), {"type": "refusal", "refusal": "a"}),
        logs.spoken(logs.output_text("a"), status="incomplete"),
        logs.spoken(),
        {"type": "message"},
        {"type": "message", "content": "plain"},
        logs.called("call_a", "weather", "ab\n"),
        logs.called("call_b", "weather", "{}"),
        {"type": "function_call"},
        {"type": "code_interpreter_call", "code": "ab\n", "outputs": [{"type": "logs"}]},
        {"type": "file_search_call", "id": "fs", "status": "failed", "results": [{}]},
        {"type": "web_search_call", "id": "ws", "action": {"query": "q"}},
        {"type": "custom_tool_call", "call_id": "call_a", "name": "n", "input": "a"},
        {"type": "reasoning", "id": "rs"},
        {},
    ]
)
UPSTREAM = st.one_of(
    st.builds(logs.text, INDEX, PIECE, INDEX),
    st.builds(logs.text, INDEX, PIECE, INDEX),
    st.builds(logs.refusal, INDEX, PIECE, INDEX),
    st.builds(logs.arguments, INDEX, PIECE),
    st.builds(lambda index, item: logs.added(index, **item), INDEX, ITEM),
    st.builds(lambda index, item: logs.done(index, **item), INDEX, ITEM),
    st.builds(logs.annotated, INDEX, INDEX, st.sampled_from([logs.CITATION, logs.URL, {}]), INDEX),
    st.builds(logs.created, st.sampled_from(["queued", "in_progress", None])),
    st.builds(lambda items: logs.completed(*items), st.lists(ITEM, max_size=3)),
    st.sampled_from(
        [
            logs.event("content_part.added", output_index=0, content_index=0),
            logs.event("code_interpreter_call_code.delta", output_index=0, delta="a"),
            logs.answered(call_a="1", call_b="2"),
            logs.cancelling(),
            logs.event("failed", response={}),
        ]
    ),
)


@given(st.lists(UPSTREAM, max_size=25), st.sampled_from(list(ENDINGS.values())), DIALECTS)
def test_no_upstream_can_break_the_rules(events, end, dialect):
    """Any events in any order make a stream that the SDK's types and readers accept."""
    check(project(whole(*events, end=end, expose_tool_calls=True), dialect), exact=False)


@given(st.sampled_from(sorted(LOGS)), st.data())
def test_frames_do_not_depend_on_how_a_log_is_cut(name, choices):
    """The same log in other batches with the same times gives the same bytes."""
    log = LOGS[name]
    size = st.lists(st.integers(0, 2), min_size=len(log), max_size=len(log))
    seconds = sorted(choices.draw(size))
    timed = list(zip(seconds, log, strict=True))
    single, batched = AssistantsProjection(CONVERSATION), AssistantsProjection(CONVERSATION)

    one = [frame for at, entry in timed for frame in single.feed(START_MS + at * 1000, [entry])]
    batches = [(at, [entry for _, entry in group]) for at, group in groupby(timed, lambda t: t[0])]
    many = [f for at, batch in batches for f in batched.feed(START_MS + at * 1000, batch)]

    assert one == many

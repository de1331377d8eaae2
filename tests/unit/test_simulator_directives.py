"""The script of a request: directives in the message, settings in the model's name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.simulator.conversation import Message
from gateway.simulator.directives import Place, Script, of_model, split
from gateway.simulator.faults import Faults
from gateway.simulator.responses_items import with_said


@pytest.mark.parametrize(
    ("directive", "expected"),
    [
        ("[[deltas=108]]", Script(deltas=108)),
        ("[[deltas=3 delay=10ms]]", Script(deltas=3, delay_seconds=0.01)),
        ("[[deltas=3]] [[delay=2s]]", Script(deltas=3, delay_seconds=2)),
        ("[[refusal]]", Script(refusal=True)),
        ("[[incomplete]]", Script(incomplete="max_output_tokens")),
        ("[[incomplete=content_filter]]", Script(incomplete="content_filter")),
        ("[[failed=server_error]]", Script(failed="server_error")),
        ("[[error]]", Script(error="server_error")),
        ("[[status=429 retry-after=7]]", Script(status=429, retry_after=7)),
        ("[[status=429 retry-after-ms=50]]", Script(status=429, retry_after_ms=50)),
        (
            "[[status=429 code=insufficient_quota]]",
            Script(status=429, code="insufficient_quota"),
        ),
        ("[[cut=before-first]]", Script(cut=Place(0))),
        ("[[cut=after=3]]", Script(cut=Place(3))),
        ("[[cut=after=3 clean]]", Script(cut=Place(3), clean=True)),
        ("[[cut=mid-event]]", Script(cut=Place(4, "event"))),
        ("[[cut=mid-character]]", Script(cut=Place(4, "character"))),
        ("[[silence]]", Script(silence=Place(0))),
        ("[[silence=after=5]]", Script(silence=Place(5))),
        ("[[big-event=2MB]]", Script(big_bytes=2 * 1024 * 1024)),
        ("[[chunk=7]]", Script(chunk_bytes=7)),
        ("[[hang times=2]]", Script(hang=True, times=2)),
        (
            "[[unknown-events garbage endless]]",
            Script(unknown_events=True, garbage=True, endless=True),
        ),
    ],
)
def test_a_directive_is_read_and_taken_out(directive, expected):
    """Each documented directive becomes its setting, and the model does not see it."""
    rest, settings = split(f"{directive} hello")

    assert Script(**settings) == expected
    assert rest == "hello"


@pytest.mark.parametrize(
    "text",
    [
        "[[ -f x ]] && echo",
        "[[deltas]]",
        "[[deltas=0]]",
        "[[deltas=ten]]",
        "[[deltas=\u0661\u0660]]",
        "[[status=200]]",
        "[[delay=5h]]",
        "[[delay=61s]]",
        "[[chunk=0]]",
        "[[refusal=yes]]",
        "[[failed=whatever]]",
        "[[deltas=3 colour=red]]",
        "[[]]",
        "[[[deltas=3",
    ],
)
def test_brackets_that_are_not_understood_are_text(text):
    """A bracket with one unknown setting stays in the message as it is, and plays nothing."""
    assert split(text) == (text, {})


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("sim-burst-108", Script(deltas=108)),
        ("sim-burst-108+delay-10ms", Script(deltas=108, delay_seconds=0.01)),
        ("sim-status-429+retry-after-7", Script(status=429, retry_after=7)),
        ("sim-status-503+retry-after-ms-7", Script(status=503, retry_after_ms=7)),
        ("sim-cut-mid-event", Script(cut=Place(4, "event"))),
        ("sim-cut-after-3", Script(cut=Place(3))),
        ("sim-reasoning", Script(reasoning=True)),
        ("sim-mini", Script()),
        ("gpt-sim-burst-108", Script()),
    ],
)
def test_a_models_name_scripts(model, expected):
    """The name of a model carries the same settings; another name plays nothing."""
    assert Script(**of_model(model)) == expected


def test_the_newest_message_goes_before_the_models_name():
    """Only the newest user message scripts, and it overrides the model's name."""
    entries = (Message("user", "[[status=500]] a"), Message("user", "[[deltas=2]] b"))

    cleaned, script = with_said(entries, of_model("sim-burst-108+delay-1ms"))

    assert script == Script(deltas=2, delay_seconds=0.001)
    assert [entry.text for entry in cleaned] == ["a", "b"]


def test_a_fault_heals_after_its_times():
    """``times=2`` plays a fault for two requests alike, each cache key counted apart."""
    faults = Faults()
    script = Script(status=500, times=2, deltas=4)

    played = [faults.due(script, "acme", "hi").status for _ in range(3)]

    assert played == [500, 500, None]
    assert faults.due(script, "acme", "hi") == Script(deltas=4)
    assert faults.due(script, "umbra", "hi").status == 500
    assert faults.due(Script(status=503, times=2), "acme", "hi").status == 503


def test_the_memory_of_faults_is_bounded():
    """The count of a text that many others followed is forgotten."""
    faults = Faults()
    script = Script(status=500, times=1)
    faults.due(script, "", "first")

    for number in range(2000):
        faults.due(script, "", str(number))

    assert faults.due(script, "", "first").status == 500
    assert faults.due(script, "", "1999").status is None


@given(st.text(alphabet=st.sampled_from("[]=- +deltascuf3mi\n\u0661"), max_size=60))
def test_no_text_breaks_the_parser(text):
    """Any text is either left as it is or loses exactly what became settings."""
    rest, settings = split(text)

    assert settings or rest == text
    Script(**settings)
    Script(**of_model("sim-" + text))

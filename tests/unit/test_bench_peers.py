"""Every server that is measured is asked for the same and answers rightly."""

import os
import subprocess
import sys
from pathlib import Path

import attrs
import msgspec
import pytest

from bench.__main__ import MEASURES, Measure, take
from bench.figures import Figure, Figures
from bench.measures import burst, first_event, json_turns
from bench.onboarding import tenant_id, write_tenants
from bench.peers import GATEWAY, NGINX, RELAY
from bench.prompts import INSTRUCTIONS
from bench.running import Running, free_port, load, running
from bench.site import Command, MissingPeerError, NotServingError, WrongAnswerError
from bench.workshop import Scale, Workshop, job
from tenants.registry.directory import DirectoryRegistry

SMALL = Scale(turns=4, bursts=2, first_events=2)


@pytest.fixture
def workshop():
    """A workshop of small jobs."""
    with Workshop(SMALL) as workshop:
        yield workshop


@pytest.mark.parametrize("peer", [GATEWAY, RELAY, NGINX], ids=lambda peer: peer.name)
def test_peer_answers_turns_and_streams_rightly(workshop, peer, require_program):
    """Each is started, checked and measured; its CPU is above nothing."""
    if peer is NGINX:
        require_program("nginx")

    found = json_turns(workshop, peer) | burst(workshop, peer) | first_event(workshop, peer)

    assert found[Figure.JSON_CPU] > 0
    assert found[Figure.JSON_PER_CPU] == pytest.approx(1000 / found[Figure.JSON_CPU])
    assert found[Figure.BURST_CPU] > 0
    assert 0 < found[Figure.FIRST_P50] <= found[Figure.FIRST_P99]


def test_wrong_answer_is_no_figure(workshop):
    """A server whose answers are not as they should be is refused with an example."""
    broken = attrs.evolve(RELAY, requests=lambda *_: GATEWAY.requests("hi", False))

    with pytest.raises(WrongAnswerError) as caught:
        json_turns(workshop, broken)

    assert caught.value.wrong == caught.value.total
    assert "status 404" in str(caught.value)


def test_server_that_ends_is_told_with_its_log(workshop):
    """What a server wrote before it ended is in the error."""
    site = workshop.site()
    command = Command((sys.executable, "-c", "raise SystemExit('no such port')"))

    with pytest.raises(NotServingError) as caught, running(RELAY, site, command):
        pass

    assert "no such port" in str(caught.value)


def test_settings_of_the_shell_are_not_the_gateways(workshop, monkeypatch):
    """The gateway is measured with its default settings wherever the bench is started."""
    monkeypatch.setenv("GATEWAY_TENANTS", "dir:/nowhere")
    monkeypatch.setenv("LOGGING_LEVEL", "CRITICAL")
    script = "import os; raise SystemExit(' '.join(sorted(os.environ)))"

    with (
        pytest.raises(NotServingError) as caught,
        running(GATEWAY, workshop.site(), Command((sys.executable, "-c", script))),
    ):
        pass

    names = caught.value.log.split()
    assert "PATH" in names
    assert "LOGGING_LEVEL" not in names
    assert not [name for name in names if name.startswith("GATEWAY_")]


@pytest.mark.parametrize("error", [MissingPeerError("gone"), WrongAnswerError("nginx", 1, 2, "?")])
def test_failed_peer_has_no_figure(monkeypatch, workshop, error):
    """One wrong round takes all of a server's figures of that measure; the others go on."""
    rounds = []

    def run(_, peer):
        rounds.append(peer.name)
        if rounds.count("nginx") == 2 and peer is NGINX:
            raise error
        return {Figure.READY: 1.0}

    monkeypatch.setitem(MEASURES, "start", Measure(run))
    figures = Figures()

    failed = take(workshop, "start", [RELAY, NGINX], 3, figures)

    assert failed == {NGINX}
    assert rounds == ["relay", "nginx", "relay", "nginx", "relay"]
    assert figures.rounds(Figure.READY, "relay") == [1.0, 1.0, 1.0]
    assert figures.rounds(Figure.READY, "nginx") == []


def test_server_that_takes_no_connections_has_no_figure():
    """A server that died since it was ready is told as such."""
    dead = Running(RELAY, os.getpid(), free_port(), 0.0)

    with pytest.raises(NotServingError):
        load(dead, job(dead, total=1, connections=1, words=100))


async def test_tenants_are_valid_and_of_their_size(tmp_path):
    """Each has instructions of its own of 600 characters, and three functions."""
    write_tenants(tmp_path / "tenants", 2, tools=True)
    registry = DirectoryRegistry(
        tmp_path / "tenants", private_upstreams=frozenset(), on_event=lambda _: None
    )

    await registry.start()
    first, second = [await registry.load(tenant_id(index)) for index in range(2)]
    await registry.stop()

    assert len(INSTRUCTIONS) == 600
    assert [len(each.default.instructions) for each in (first, second)] == [600, 600]
    assert first.default.instructions != second.default.instructions
    assert [len(each.default.functions) for each in (first, second)] == [3, 3]


def test_command_measures_and_keeps_the_results(tmp_path):
    """``python -m bench`` prints a table and keeps every round as JSON."""
    options = ["--quick", "--rounds", "2", "--only", "first", "--peers", "relay"]

    done = subprocess.run(
        [sys.executable, "-m", "bench", *options, "--results", str(tmp_path)],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "GATEWAY_PORT": "1"},
        capture_output=True,
        text=True,
        check=True,
    )

    (kept,) = tmp_path.iterdir()
    figure = msgspec.json.decode(kept.read_bytes())["figures"]["first_p50"]
    assert len(figure["peers"]["relay"]["rounds"]) == 2
    assert "first event, p50" in done.stdout
    assert "MISSED" not in done.stdout

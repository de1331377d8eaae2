"""Starting and ending the simulator: in a process of its own, and within an event loop."""

import signal
import subprocess
import sys
import urllib.request

import httpx2
import pytest

from gateway.simulator.server import Simulator, spawn


def is_healthy(base_url):
    """Whether a simulator answers there."""
    with urllib.request.urlopen(base_url.removesuffix("/v1") + "/health") as answer:  # noqa: S310 -- a loopback URL
        return answer.status == 200


def test_a_spawned_simulator_answers_and_ends():
    """``spawn`` gives a process that answers at its URL and ends on ``terminate``."""
    process, base_url = spawn()

    with process:
        healthy = is_healthy(base_url)
        process.terminate()
        ended = process.wait(timeout=20)

    assert healthy
    assert ended == -signal.SIGTERM


PARENT = """
import sys
from gateway.simulator.server import spawn
process, base_url = spawn()
print(base_url, flush=True)
sys.stdin.read()
"""


def test_a_spawned_simulator_ends_with_its_parent():
    """When the parent is killed outright, the simulator's process ends by itself."""
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with subprocess.Popen([sys.executable, "-c", PARENT], text=True, **pipes) as parent:
        healthy = is_healthy(parent.stdout.readline().strip())
        parent.kill()
        # The simulator holds the other end of stderr, so this returns once it has ended too.
        parent.communicate(timeout=20)

    assert healthy


async def test_leaving_ends_connections_that_hang():
    """Leaving the context closes the port and what hangs, at once."""
    body = {"model": "sim-1", "input": "[[silence]] hi", "stream": True}
    async with httpx2.AsyncClient(headers={"authorization": "Bearer x"}) as http:
        async with Simulator() as simulator:
            url = f"{simulator.base_url}/responses"
            request = http.build_request("POST", url, json=body)
            answer = await http.send(request, stream=True)

        with pytest.raises(httpx2.TransportError):
            await answer.aread()
        with pytest.raises(httpx2.ConnectError):
            await http.get(url)
        await answer.aclose()


def test_the_command_prints_its_url_first():
    """``python -m gateway.simulator --port 0`` prints where it listens, and ends on a signal."""
    command = [sys.executable, "-m", "gateway.simulator", "--port", "0"]
    pipes = dict.fromkeys(("stdout", "stderr"), subprocess.PIPE)
    with subprocess.Popen(command, text=True, **pipes) as process:
        healthy = is_healthy(process.stdout.readline().strip())
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=20)

    assert healthy
    assert (process.returncode, said) == (0, ("", ""))

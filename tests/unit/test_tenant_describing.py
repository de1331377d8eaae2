"""Tool modules are described by a process of their own, which they may hang or end."""

import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from tenants.describer import REST_SECONDS
from tenants.describing import Describer
from tests.fakes.tenants import until

GOOD = b"def f(a: int) -> int:\n    return a\nTOOL_MAP = {'f': f}\n"
ENDED = "importing it ended the process that reads it"
PARENT = """
from tenants.describing import Describer
source = b"import os\\nprint(os.getpid(), file=open({path!r}, 'w'), flush=True)\\nwhile True: pass"
Describer().describe(source, "tools.py")
"""


@pytest.fixture
def describer():
    """A describer whose process is ended with the test."""
    describer = Describer()
    yield describer
    describer.close()


def messages(describer, source: bytes) -> list[str]:
    """What is wrong with a module."""
    return [fault.message for fault in describer.describe(source, "tools.py").faults]


def is_alive(process_id: int) -> bool:
    """Whether a process runs."""
    with suppress(OSError):
        return Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


@pytest.mark.parametrize(
    "source",
    [
        b"import os\nos._exit(0)\n",
        b"import os\nos.kill(os.getpid(), 9)\n",
        b"import ctypes\nctypes.string_at(0)\n",
        b"class Odd(Exception):\n    def __str__(self): raise self\nraise Odd\n",
    ],
)
def test_module_that_ends_the_process_is_a_fault_and_the_next_is_described(describer, source):
    """Only the module that did it is at fault, whether the process was new or not."""
    assert messages(describer, source) == [ENDED]
    assert list(describer.describe(GOOD, "tools.py").functions) == ["f"]
    assert messages(describer, source) == [ENDED]
    assert list(describer.describe(GOOD, "tools.py").functions) == ["f"]


async def test_process_that_nobody_asks_ends_and_the_next_module_is_described(describer, tmp_path):
    """It costs no memory between publishes, and nobody notices that it ended."""
    told = tmp_path / "process"
    source = f"import os\nopen({str(told)!r}, 'w').write(str(os.getpid()))\nTOOL_MAP = {{}}\n"
    describer.describe(source.encode(), "tools.py")

    await until(lambda: not is_alive(int(told.read_text())), timeout_seconds=REST_SECONDS + 10)

    assert list(describer.describe(GOOD, "tools.py").functions) == ["f"]


def test_module_that_does_not_end_is_stopped_at_its_limit():
    """A loop costs its time limit, and no processor after it."""
    describer = Describer(limit_seconds=2)
    describer.describe(GOOD, "tools.py")
    stuck = describer._child._process.pid

    assert messages(describer, b"while True: pass\n") == ["importing took over 2 s"]
    assert not is_alive(stuck)
    assert list(describer.describe(GOOD, "tools.py").functions) == ["f"]
    describer.close()


def test_exit_and_output_leave_the_process_as_it_is(describer):
    """``sys.exit`` is an ordinary fault; whatever is written does not disturb the answers."""
    describer.describe(GOOD, "tools.py")
    process_id = describer._child._process.pid

    assert messages(describer, b"import sys\nsys.exit(3)\n") == [
        "importing it raised SystemExit: 3"
    ]
    assert messages(describer, b"print('x')\n" + GOOD) == [
        "it prints while it is imported: remove that"
    ]
    loud = b"import os, sys\nos.write(1, b'from fd 1')\nsys.stdout.write('from stdout')\n"
    assert list(describer.describe(loud + GOOD, "tools.py").functions) == ["f"]
    assert messages(describer, b"import sys\nsys.stdin.read()\n" + GOOD) == []
    assert messages(describer, b"raise ValueError('\\ud800')\n") == [
        "importing it raised ValueError: ?"
    ]
    assert describer._child._process.pid == process_id


def test_output_goes_to_standard_error(describer, capfd):
    """Standard output carries the gateway's logs."""
    describer.describe(b"import os\nos.write(1, b'from fd 1')\n" + GOOD, "tools.py")

    assert capfd.readouterr() == ("", "from fd 1")


def test_process_that_a_module_forks_does_not_answer(describer):
    """Answers stay in step with their modules."""
    assert messages(describer, b"import os\nos.fork()\n" + GOOD) == []
    assert list(describer.describe(GOOD.replace(b"'f'", b"'g'"), "tools.py").functions) == ["g"]


def test_process_that_ended_meanwhile_is_no_fault_of_the_next_module(describer):
    """What one module left behind is not told of another."""
    describer.describe(GOOD, "tools.py")
    describer._child.kill()

    assert list(describer.describe(GOOD, "tools.py").functions) == ["f"]


def test_module_sees_no_secret_of_the_gateway(describer, monkeypatch):
    """The environment is a clean one."""
    monkeypatch.setenv("OPENAI_API_KEY", "planted")
    source = b"import os\nassert 'OPENAI_API_KEY' not in os.environ\nassert os.environ['PATH']\n"

    assert messages(describer, source + GOOD) == []


async def test_process_ends_with_the_one_that_started_it(tmp_path):
    """Even where that one is killed while a module loops."""
    path = tmp_path / "pid"
    program = PARENT.format(path=str(path))
    with subprocess.Popen([sys.executable, "-c", program]) as parent:  # noqa: ASYNC220  (it is quick)
        await until(lambda: path.exists() and path.read_text().endswith("\n"))
        process_id = int(path.read_text())
        assert process_id != parent.pid
        parent.kill()

    await until(lambda: not is_alive(process_id))


def test_closed_describer_has_no_process(describer):
    """Closing ends it, and nothing starts another."""
    describer.describe(GOOD, "tools.py")
    process_id = describer._child._process.pid

    describer.close()

    assert not is_alive(process_id)
    assert messages(describer, GOOD)
    assert describer._child is None

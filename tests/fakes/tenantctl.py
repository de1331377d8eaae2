"""``tenantctl`` as operators run it: in this process, in one of its own, and on a terminal."""

import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from tenants.cli import main

_ROOT = Path(__file__).resolve().parents[2]
_PROGRAM = (sys.executable, "-c", "from tenants.cli import main; main()")
_PASSED = ("PATH", "HOME", "LANG", "USER", "VIRTUAL_ENV")
_PATIENCE_SECONDS = 30.0
_UNHEARD_SECONDS = 2.0


def tenantctl(*arguments: Any, stdin: str | None = None, **environ: str) -> Result:
    """Run a command in this process; nobody is at its terminal."""
    return CliRunner().invoke(main, [str(each) for each in arguments], input=stdin, env=environ)


def environment(environ: Mapping[str, str]) -> dict[str, str]:
    """What a process of its own gets to see."""
    passed = {name: os.environ[name] for name in _PASSED if name in os.environ}
    return {**passed, "PYTHONPATH": str(_ROOT), **environ}


def run(
    *arguments: Any,
    environ: Mapping[str, str],
    folder: Path,
    **options: Any,
) -> subprocess.CompletedProcess[str]:
    """Run a command in a process of its own, with nothing to read."""
    return subprocess.run(
        [*_PROGRAM, *map(str, arguments)],
        cwd=folder,
        env=environment(environ),
        capture_output=True,
        text=True,
        check=False,
        timeout=_PATIENCE_SECONDS,
        **{"stdin": subprocess.DEVNULL, **options},
    )


@contextmanager
def started(
    *arguments: Any,
    environ: Mapping[str, str],
    folder: Path,
) -> Iterator[subprocess.Popen[str]]:
    """A command that works while the block does; it is ended with it."""
    process = subprocess.Popen(
        [*_PROGRAM, *map(str, arguments)],
        cwd=folder,
        env=environment(environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


class Terminal:
    """A command on a pseudo-terminal, and the person before it.

    Attributes:
        said: all that has appeared so far.
    """

    def __init__(self, *arguments: Any, environ: Mapping[str, str], folder: Path) -> None:
        self.said = ""
        self._pid, self._terminal = pty.fork()
        if self._pid == 0:
            os.chdir(folder)
            environ = {"TERM": "dumb", "COLUMNS": "120", **environment(environ)}
            os.execvpe(_PROGRAM[0], [*_PROGRAM, *map(str, arguments)], environ)  # noqa: S606

    def sees(self, text: str) -> None:
        """Wait until a text has appeared."""
        if not self._has_said(text, _PATIENCE_SECONDS):
            raise AssertionError(f"{text!r} never came, but: {self.said}")

    def types(self, line: str) -> None:
        """Answer with a line."""
        os.write(self._terminal, f"{line}\n".encode())

    def closes(self) -> None:
        """Press Ctrl-D."""
        os.write(self._terminal, b"\x04")

    def interrupts(self) -> None:
        """Press Ctrl-C."""
        os.write(self._terminal, b"\x03")

    def leaves(self) -> int:
        """Press Ctrl-C at a question, as often as it takes; the exit code."""
        self._press_until(lambda: self._said_its_last(_UNHEARD_SECONDS))
        return self.ends()

    def interrupts_until(self, text: str) -> None:
        """Press Ctrl-C at a prompt, as often as it takes for a text to appear."""
        self._press_until(lambda: self._has_said(text, _UNHEARD_SECONDS))
        self.sees(text)

    def ends(self) -> int:
        """Wait for the end; the exit code."""
        if not self._said_its_last(_PATIENCE_SECONDS):
            os.kill(self._pid, signal.SIGKILL)
        os.close(self._terminal)
        return os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])

    def _press_until(self, heard: Callable[[], bool]) -> None:
        """Between its prompt and its reading of the answer Python hears no Ctrl-C."""
        for _ in range(10):
            self.interrupts()
            if heard():
                break

    def _has_said(self, text: str, seconds: float) -> bool:
        """Whether a text appeared within this time."""
        end = time.monotonic() + seconds
        while text not in self.said and time.monotonic() < end and self._more(end):
            pass
        return text in self.said

    def _said_its_last(self, seconds: float) -> bool:
        """Whether it ended within this time."""
        end = time.monotonic() + seconds
        while self._more(end):
            pass
        return time.monotonic() < end

    def _more(self, end: float) -> bool:
        if not select.select([self._terminal], [], [], max(0, end - time.monotonic()))[0]:
            return False
        try:
            found = os.read(self._terminal, 65_536)
        except OSError:  # It has ended.
            return False
        self.said += found.decode(errors="replace")
        return bool(found)

"""What every suite may ask for: optional programs and the shared folder beside the repository."""

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

_SHARED = Path(__file__).resolve().parents[2] / "shared"
_BUILT = Path(__file__).resolve().parents[1] / ".data" / "bin"
"""Where ``.ci/run`` puts programs that no package brings."""


def pytest_configure() -> None:
    """Let programs that tests start hear Ctrl-C: what a shell starts behind it hears none."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _not_here(reason: str) -> NoReturn:
    """Skip; where everything must be there (``CI=true``), fail."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def require_program() -> Callable[[str], str]:
    """A function from a program's name to its path; without the program the test is skipped."""

    def find(name: str) -> str:
        path = shutil.which(name) or shutil.which(name, path=_BUILT)
        return path or _not_here(f"the program {name} is not installed")

    return find


@pytest.fixture(scope="session")
def shared_folder() -> Path:
    """The folder of recordings and OpenAI's document; without it the test is skipped."""
    return _SHARED if _SHARED.is_dir() else _not_here(f"{_SHARED} is not there")

"""The machine that a measurement was made on, and the limits it was made under."""

import os
import platform
import resource
from importlib.metadata import version
from pathlib import Path

import attrs

_OPEN_FILES = 20_000  # two for each of thousands of streams
_PACKAGES = ("aiohttp", "httptools", "litestar", "msgspec", "openai", "uvicorn", "uvloop")


@attrs.frozen
class Machine:
    """What figures have to be read beside.

    Args:
        busy: other work on it: the load average of the minute before.
    """

    cores: int
    cpu: str
    memory_gib: float
    kernel: str
    python: str
    open_files: int
    busy: float
    versions: dict[str, str]


def machine() -> Machine:
    """This machine."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return Machine(
        cores=len(os.sched_getaffinity(0)),
        cpu=_cpu_model(),
        memory_gib=round(pages / 2**30, 1),
        kernel=platform.release(),
        python=platform.python_version(),
        open_files=resource.getrlimit(resource.RLIMIT_NOFILE)[0],
        busy=round(os.getloadavg()[0], 2),
        versions={name: version(name) for name in _PACKAGES},
    )


def raise_open_files() -> int:
    """Allow this process and its children as many open files as may be, and say how many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(_OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def _cpu_model() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()

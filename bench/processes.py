"""What a process costs: CPU and memory of it and of its children, as Linux counts them."""

import time
from pathlib import Path

import attrs

_PROC = Path("/proc")
_SCHED_CLOCK = 2  # CPUCLOCK_SCHED of the kernel's posix-timers.h: user and system time, all threads
_MB_PER_KIB = 1024 / 1e6
_NOTHING_SECONDS = 0.01  # of half a second
_QUIET_LOOKS = 8  # of half a second each


@attrs.frozen
class Memory:
    """The memory of a process and its children, in MB of a million bytes.

    Args:
        rss: resident, shared pages counted in full by each process.
        pss: resident, shared pages counted by their share.
    """

    rss: float = 0.0
    pss: float = 0.0

    def __sub__(self, other: "Memory") -> "Memory":
        return Memory(self.rss - other.rss, self.pss - other.pss)

    def __add__(self, other: "Memory") -> "Memory":
        return Memory(self.rss + other.rss, self.pss + other.pss)


def family(pid: int) -> list[int]:
    """A process and all that descend from it, as far as they are alive."""
    children = [int(child) for task in _tasks(pid) for child in _text(task / "children").split()]
    return [pid, *(each for child in children for each in family(child))]


def cpu_seconds(pid: int) -> float:
    """User and system time of a living process and its living children, to the nanosecond."""
    return sum(_clock(each) for each in family(pid))


def memory(pid: int) -> Memory:
    """What a process and its children hold now (``smaps_rollup`` of proc(5))."""
    return sum((_memory(each) for each in family(pid)), Memory())


def calm(pid: int) -> None:
    """Wait until a process has nothing to do any more, two minutes at most.

    It is at rest once nothing has happened for a while: what the gateway starts to read tenants'
    functions ends by itself when it was not asked for three seconds.
    """
    quiet = 0
    for _ in range(240):
        before, members = cpu_seconds(pid), family(pid)
        time.sleep(0.5)
        busy = cpu_seconds(pid) - before > _NOTHING_SECONDS or family(pid) != members
        quiet = 0 if busy else quiet + 1
        if quiet == _QUIET_LOOKS:
            return


def thread_seconds(pid: int) -> list[float]:
    """CPU time of each living thread of a process, the main one first."""
    stats = [_text(task / "schedstat").split() for task in _tasks(pid)]
    return [int(stat[0]) / 1e9 for stat in stats if stat]


def _tasks(pid: int) -> list[Path]:
    """The threads of a process, the main one first: its number is the process's."""
    try:
        tasks = list((_PROC / str(pid) / "task").iterdir())
    except FileNotFoundError:
        return []
    return sorted(tasks, key=lambda task: (task.name != str(pid), int(task.name)))


def _clock(pid: int) -> float:
    try:
        # What clock_getcpuclockid(3) makes of a pid; /proc/PID/stat counts in steps of 10 ms.
        return time.clock_gettime((~pid << 3) | _SCHED_CLOCK)
    except OSError:
        return 0.0


def _memory(pid: int) -> Memory:
    lines = _text(_PROC / str(pid) / "smaps_rollup").splitlines()[1:]
    kib = {line.split(":")[0]: int(line.split()[1]) for line in lines}
    return Memory(kib.get("Rss", 0) * _MB_PER_KIB, kib.get("Pss", 0) * _MB_PER_KIB)


def _text(path: Path) -> str:
    """A file of a process; empty when the process has just ended."""
    try:
        return path.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""

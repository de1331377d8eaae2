"""The bench reads what Linux counts for a process and its children."""

import subprocess
import sys

import pytest

from bench.processes import cpu_seconds, family, memory, thread_seconds

BURNS_AND_HOLDS = """
import subprocess, sys, threading, time
def burn():
    while time.thread_time() < 0.2:
        pass
thread = threading.Thread(target=burn)
thread.start()
burn()
thread.join()
held = bytearray(b"x" * 40_000_000)
child = sys.argv[1:] and subprocess.Popen([sys.executable, "-c", sys.argv[1]], stdin=0)
print("ready", flush=True)
sys.stdin.read()
child and child.wait()
"""
CHILD = """
import sys, time
while time.thread_time() < 0.2:
    pass
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def started():
    """Starts the program with a child, and without one."""
    processes = []

    def start(*arguments: str) -> int:
        process = subprocess.Popen(
            [sys.executable, "-c", BURNS_AND_HOLDS, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        processes.append(process)
        for _ in range(1 + len(arguments)):
            assert process.stdout.readline() == b"ready\n"
        return process.pid

    yield start
    for process in processes:
        with process:
            process.stdin.close()


def test_cpu_of_all_threads_counts(started):
    """Two threads of 0.2 s are 0.4 s, the one that has ended included."""
    pid = started()

    assert 0.4 <= cpu_seconds(pid) < 2
    assert 0.2 <= thread_seconds(pid)[0] < 1


def test_children_count(started):
    """What a child uses and holds is its parent's."""
    alone, parent = started(), started(CHILD)

    assert len(family(alone)) == 1
    assert len(family(parent)) == 2
    assert cpu_seconds(parent) >= 0.6
    assert memory(parent).rss > memory(alone).rss + 3


def test_memory_is_in_millions_of_bytes(started):
    """40 MB that a process holds are in its resident set and in its share of it."""
    held = memory(started())

    assert 40 < held.pss <= held.rss < 100


def test_ended_process_costs_nothing():
    """A process that ended while it was looked at is no error."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()

    assert cpu_seconds(process.pid) == 0
    assert memory(process.pid).rss == 0
    assert thread_seconds(process.pid) == []

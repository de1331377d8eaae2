"""``python -m bench.profile``: where the time goes on each path of a server."""

import argparse
import os
import pstats
import signal
import time
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path
from typing import cast

import attrs

from bench.hotspots import Spot, Stats, packages, spots
from bench.jobs import Job
from bench.peers import GATEWAY, RELAY
from bench.processes import thread_seconds
from bench.prompts import WORDS
from bench.running import Running, load
from bench.site import Command, Site
from bench.workshop import Scale, Workshop, job, warm

_PEERS = {peer.name: peer for peer in (GATEWAY, RELAY)}
_SHOWN = 30
_LOOK_SECONDS = 0.05


def _jobs(server: Running) -> dict[str, tuple[Job, int]]:
    """A job for each path, and by how many its time is divided: turns, or deltas."""
    return {
        "json": (job(server, total=600, connections=16, words=WORDS), 600),
        "burst": (job(server, total=100, connections=8, deltas=108), 100 * 108),
        "paced": (job(server, total=20, connections=20, deltas=200, delay=10), 20 * 200),
    }


def main() -> None:
    """Profile the paths that are asked for and print what they cost."""
    parser = argparse.ArgumentParser(prog="python -m bench.profile", description=__doc__)
    parser.add_argument("--path", action="append", choices=("json", "burst", "paced"))
    parser.add_argument("--peer", choices=_PEERS, default=GATEWAY.name)
    parser.add_argument("--rows", type=int, default=_SHOWN, help="functions to show")
    options = parser.parse_args()
    peer = _PEERS[options.peer]
    with Workshop(Scale()) as workshop:
        site = workshop.site()
        command = _profiled(peer.prepare(site), site)
        with workshop.fresh(peer, site, command) as server:
            warm(server)
            for path, (work, count) in _jobs(server).items():
                if path in (options.path or [path]):
                    print(f"\n## {path}\n")
                    _print_threads(server, work, count)
                    _print_spots(_profile(server, work, site), count, options.rows)


def _profiled(command: Command, site: Site) -> Command:
    """The same server, to be profiled: ``python -m MODULE`` is what both are started with."""
    python, option, *module = command.arguments
    wrapped = (python, option, "bench.profiled", str(_file(site)), *module)
    return attrs.evolve(command, arguments=wrapped)


def _file(site: Site) -> Path:
    return site.folder / "profile"


def _print_threads(server: Running, work: Job, count: int) -> None:
    """What it costs without the profiler, by thread."""
    before = thread_seconds(server.pid)
    load(server, work)
    after = thread_seconds(server.pid)
    used = [now - then for now, then in zip_longest(after, before, fillvalue=0.0)]
    shown = ", ".join(f"{each / count * 1e6:.1f}" for each in used if each > 0)
    print(f"us without the profiler, by thread, the main one first: {shown}\n")


def _print_spots(found: Sequence[Spot], count: int, rows: int) -> None:
    """What the profiler says; it slows Python's own functions the most."""
    total = sum(spot.seconds for spot in found)
    print(f"us with the profiler, main thread: {total / count * 1e6:.1f}\n")
    for name, seconds in packages(found)[:rows]:
        print(f"{seconds / total:6.1%} {seconds / count * 1e6:8.2f}  {name}")
    print()
    _print_functions("by their own time", found[:rows], total, count)
    ours = sorted(
        (spot for spot in found if spot.is_ours), key=lambda spot: -spot.inclusive_seconds
    )
    _print_functions("ours, by the time of all that they call", ours[:rows], total, count)


def _print_functions(order: str, found: Sequence[Spot], total: float, count: int) -> None:
    print(f"functions {order}: share, us own, us with all that they call, calls\n")
    for spot in found:
        own, inclusive = (each / count * 1e6 for each in (spot.seconds, spot.inclusive_seconds))
        share = spot.seconds / total
        print(f"{share:6.1%} {own:8.2f} {inclusive:8.2f} {spot.calls / count:6.2f}x  {spot}")
    print()


def _profile(server: Running, work: Job, site: Site) -> list[Spot]:
    """Profile a job; a request wakes the interpreter for the signal that ends it."""
    os.kill(server.pid, signal.SIGUSR1)
    load(server, work)
    os.kill(server.pid, signal.SIGUSR2)
    file = _file(site)
    while not file.exists():
        load(server, job(server, total=1, connections=1, words=WORDS))
        time.sleep(_LOOK_SECONDS)
    found = spots(cast("Stats", vars(pstats.Stats(str(file)))["stats"]))
    file.unlink()
    return found


if __name__ == "__main__":
    main()

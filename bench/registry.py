"""``python -m bench.registry MEASURE``: what a registry in a bucket costs, from the repository.

The bucket is ``tests/fakes/gcs.py`` in a process of its own, so figures are without the network's
time. Gateways are processes of their own too.
"""

import argparse
import contextlib
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from bench.replicas import active, idle, replicas, say
from migrations_of_config.chain import Document, Revision, chain_of
from tenants.registry.gcs import GcsObjects
from tenants.registry.objects import Objects, Stored
from tenants.releases.feed import Batch
from tenants.releases.loading import load
from tenants.releases.migrating import behind, migrate
from tenants.releases.pointers import Intent
from tenants.releases.publishing import create, publish
from tenants.releases.reading import list_tenants
from tenants.releases.release import Preparing
from tests.fakes.operator import release

_PREFIX = "production"
_AT_ONCE = 8
_COLD = 200
_INTENT = Intent("bench", 1_800_000_000)


def main() -> None:
    """Measure what is asked for, and print it."""
    parser = argparse.ArgumentParser(prog="python -m bench.registry", description=__doc__)
    parser.add_argument("measure", choices=MEASURES)
    parser.add_argument("--tenants", type=int, default=10_000)
    options = parser.parse_args()
    with served_bucket() as url:
        MEASURES[options.measure](url, options.tenants)


@contextlib.contextmanager
def served_bucket() -> Iterator[str]:
    """A bucket without objects, and the URL of its server."""
    command = [sys.executable, "-m", "tests.fakes.gcs", "tenants"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as gcs:
        assert gcs.stdin is not None  # noqa: S101  (for mypy: they are pipes)
        assert gcs.stdout is not None  # noqa: S101  (as above)
        yield gcs.stdout.readline().strip()
        gcs.stdin.close()


def _objects(url: str) -> GcsObjects:
    return GcsObjects("tenants", _PREFIX, emulator=url)


def _onboard(objects: Objects, tenants: int) -> None:
    began = time.monotonic()
    with Batch() as batch, ThreadPoolExecutor(_AT_ONCE) as threads:

        def one(number: int) -> None:
            create(objects, release(f"t{number}"), _INTENT, announce=batch)

        say("tenants onboarded", sum(1 for _ in threads.map(one, range(tenants))))
    say("seconds for it", time.monotonic() - began)


def fleet(url: str, tenants: int) -> None:
    """Onboard tenants, list them, publish to one, and bring all to a newer schema version."""
    objects = _objects(url)
    _onboard(objects, tenants)
    began = time.monotonic()
    say("tenants listed", sum(1 for _ in list_tenants(objects)))
    say("seconds for it", time.monotonic() - began)
    began = time.monotonic()
    publish(objects, release("t1", "Be kind."), _INTENT)
    say("ms for one publish", 1e3 * (time.monotonic() - began))
    chain = chain_of([Revision(1, "Change nothing but the number.", _same)])
    began = time.monotonic()
    ids = [*behind(objects, chain)]
    done = migrate(objects, ids, _INTENT, preparing=Preparing(chain=chain))
    say("tenants migrated", sum(each.error is None for each in done))
    say("minutes for it", (time.monotonic() - began) / 60)


def _same(document: Document) -> Document:
    return {**document}


def cold(url: str, tenants: int) -> None:
    """Load tenants for the first time; what that costs beside the reads themselves."""
    objects = _objects(url)
    _onboard(objects, min(tenants, _COLD))
    reading = _Timed(objects)
    beside = []
    for number in range(min(tenants, _COLD)):
        reading.seconds, began = 0.0, time.monotonic()
        load(reading, f"t{number}", private_upstreams=frozenset())
        beside.append(time.monotonic() - began - reading.seconds)
    say("ms beside the reads, median", 1e3 * statistics.median(beside))
    say("ms beside the reads, at most", 1e3 * max(beside))


class _Timed(GcsObjects):
    """Objects that time their reads."""

    def __init__(self, objects: GcsObjects) -> None:
        self.__dict__.update(objects.__dict__)
        self.seconds = 0.0

    def read(self, name: str) -> Stored | None:
        """See ``Objects``."""
        began = time.monotonic()
        try:
            return super().read(name)
        finally:
            self.seconds += time.monotonic() - began


MEASURES = {"fleet": fleet, "cold": cold, "replicas": replicas, "idle": idle, "active": active}

if __name__ == "__main__":
    main()

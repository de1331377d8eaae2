"""``python -m bench``: the gateway against its peers, interleaved, as ratios of one run."""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import attrs
import msgspec

from bench import footprints, measures
from bench.figures import Figure, Figures
from bench.machine import machine, raise_open_files
from bench.peers import GATEWAY, LITELLM, NGINX, RELAY, Peer
from bench.site import MissingPeerError, NotServingError, WrongAnswerError
from bench.tables import document, markdown
from bench.targets import verdicts
from bench.workshop import QUICK, Scale, Workshop

_RESULTS = Path(__file__).parent / "results"
_ROUNDS = 5

PEERS = {peer.name: peer for peer in (GATEWAY, NGINX, RELAY, LITELLM)}


@attrs.frozen
class Measure:
    """One measurement, made of one server at a time.

    Args:
        run: one round of it.
        alone: whether only the gateway can be measured.
    """

    run: Callable[[Workshop, Peer], dict[Figure, float]]
    alone: bool = False


MEASURES = {
    "json": Measure(measures.json_turns),
    "burst": Measure(measures.burst),
    "paced": Measure(measures.paced),
    "first": Measure(measures.first_event),
    "streams": Measure(footprints.open_streams),
    "tenants": Measure(footprints.many_tenants, alone=True),
    "start": Measure(footprints.start),
}


def main() -> int:
    """Measure, print the tables, keep them as JSON.

    Returns:
        The exit status: 1 where the gateway itself could not be measured.
    """
    options = _options(sys.argv[1:])
    raise_open_files()
    before = machine()
    figures = Figures()
    with Workshop(QUICK if options.quick else Scale()) as workshop:
        failed = [
            take(workshop, name, _measured(name, options.peers), options.rounds, figures)
            for name in options.only or MEASURES
        ]
    found = list(verdicts(figures, full_scale=not options.quick))
    print(markdown(figures, found, before))
    _keep(options.results, document(figures, found, before))
    return 1 if any(GATEWAY in each for each in failed) else 0


def _measured(name: str, peers: Sequence[str]) -> list[Peer]:
    chosen = [PEERS[peer] for peer in peers]
    return [peer for peer in chosen if peer is GATEWAY or not MEASURES[name].alone]


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--rounds", type=int, help=f"of each measure ({_ROUNDS}; quick: 1)")
    parser.add_argument("--quick", action="store_true", help="small counts, for a first look")
    parser.add_argument("--only", action="append", choices=MEASURES, help="may be repeated")
    parser.add_argument("--peers", default="gateway,nginx,relay", help="which servers, by comma")
    parser.add_argument("--results", type=Path, default=_RESULTS, help="a folder (bench/results)")
    parser.add_argument("--with-litellm", action="store_true", help="LiteLLM's proxy too")
    options = parser.parse_args(arguments)
    options.rounds = options.rounds or (1 if options.quick else _ROUNDS)
    options.peers = options.peers.split(",") + ["litellm"] * options.with_litellm
    if unknown := set(options.peers) - PEERS.keys():
        parser.error(f"no such peer: {', '.join(sorted(unknown))}")
    return options


def take(
    workshop: Workshop, name: str, peers: Sequence[Peer], rounds: int, figures: Figures
) -> frozenset[Peer]:
    """All rounds of one measure, interleaved.

    Args:
        workshop: where it is made.
        name: of the measure.
        peers: what is measured, in this order in each round.
        rounds: how many.
        figures: get what was found.

    Returns:
        The servers that are missing, do not serve or answered wrongly once. They have no figure
        of this measure at all.
    """
    found: dict[Peer, list[dict[Figure, float]]] = {peer: [] for peer in peers}
    for number in range(1, rounds + 1):
        for peer in list(found):
            _say(f"{name} {number}/{rounds}: {peer.name}")
            try:
                found[peer].append(MEASURES[name].run(workshop, peer))
            except (MissingPeerError, NotServingError, WrongAnswerError) as error:
                _say(f"{name}: {peer.name} is left out: {error}")
                del found[peer]
    for peer, rows in found.items():
        for row in rows:
            figures.add(peer.name, row)
    return frozenset(peers) - found.keys()


def _keep(folder: Path, results: dict[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{time.strftime('%Y%m%dT%H%M%S')}.json"
    path.write_bytes(msgspec.json.format(msgspec.json.encode(results)))
    _say(f"kept in {path}")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())

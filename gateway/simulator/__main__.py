"""``python -m gateway.simulator``: the simulator in a process of its own."""

import argparse
import os
import sys
import threading

from gateway.simulator.server import run


def main() -> None:
    """Read the options and serve; the first line of the output is the base URL."""
    parser = argparse.ArgumentParser(prog="gateway.simulator", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8001, help="0 takes a free one")
    parser.add_argument("--until-stdin-closes", action="store_true", help="end with the parent")
    options = parser.parse_args()
    if options.until_stdin_closes:
        threading.Thread(target=_end_with_stdin, daemon=True).start()
    run(options.host, options.port, _announce)


def _announce(base_url: str) -> None:
    sys.stdout.write(base_url + "\n")
    sys.stdout.flush()


def _end_with_stdin() -> None:
    """End the process with its parent: a pipe is closed however the parent dies."""
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    main()

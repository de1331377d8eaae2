"""``python -m bench.profiled FILE MODULE …``: runs a module, to be profiled from outside.

SIGUSR1 starts cProfile in the main thread, SIGUSR2 stops it and writes the profile to FILE. So a
server is profiled while it works, without its start and with nothing of this in its own code.
"""

import cProfile
import runpy
import signal
import sys
import time
from pathlib import Path


def main() -> None:
    """Run the module with the arguments that are left."""
    file = Path(sys.argv[1])
    # The thread's CPU time, since waiting for a core of a busy machine costs the server nothing.
    profile = cProfile.Profile(time.thread_time)

    def stop() -> None:
        profile.disable()
        part = file.with_suffix(".part")
        profile.dump_stats(part)
        profile.clear()
        part.rename(file)  # whole as soon as it is there

    signal.signal(signal.SIGUSR1, lambda *_: profile.enable())
    signal.signal(signal.SIGUSR2, lambda *_: stop())
    sys.argv = sys.argv[2:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()

"""What gRPC says on standard error by itself."""

import os


def silence() -> None:
    """Keep it from standard error, whose lines are a log's; call this before anything imports it.

    gRPC reads ``GRPC_VERBOSITY`` when it is imported, as Google's libraries all do, and at
    ``ERROR`` it still tells of each connection that a server closes. What fails, it raises.
    """
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")

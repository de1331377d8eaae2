"""What no event of a run can carry: a fault that a client is told of, as flat JSON."""

import attrs


@attrs.frozen
class Fault:
    """A fault as a stream's client sees it.

    Args:
        message: for people.
        code: for programs, such as ``thread_busy``.
        type: the problem's URN, such as ``urn:agw:thread-busy``.
        timestamp: ISO 8601 in UTC.
    """

    message: str
    code: str
    type: str
    correlation_id: str
    timestamp: str

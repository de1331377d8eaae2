"""How often a registry in memory is compared with the one that is kept."""

import attrs


@attrs.frozen
class Pace:
    """Times of following a registry, in seconds.

    Together they hold the promise that what is announced is in force within 10 s, also where one
    read fails or is slow, and what never was announced within 5 minutes.

    Args:
        feed_seconds: between reads of the feed; one that takes longer is given up.
        retry_seconds: after a read of the feed that failed.
        recheck_seconds: after which an active tenant is due to be compared; those due at once are
            spread over ``spread_seconds``.
        refused_seconds: as ``recheck_seconds``, where the newest revision was refused.
        idle_seconds: without a request, after which a tenant is forgotten.
        read_seconds: for all the reads of one tenant.
        copied_seconds: as ``read_seconds``, where a request waits that a copy could serve.
        unknown_seconds: for which an id that was not found is not looked for again.
        failed_seconds: as ``unknown_seconds``, where its reads failed.
        prune_seconds: between looks at the room that copies take.
    """

    feed_seconds: float = 3.0
    retry_seconds: float = 1.0
    recheck_seconds: float = 180.0
    spread_seconds: float = 60.0
    refused_seconds: float = 15.0
    idle_seconds: float = 900.0
    read_seconds: float = 10.0
    copied_seconds: float = 3.0
    unknown_seconds: float = 30.0
    failed_seconds: float = 3.0
    prune_seconds: float = 600.0

"""A tenant as its files say it: frozen values, parsed once at the edge."""

import attrs


@attrs.frozen
class SecretRef:
    """Where a secret lives. Never the secret itself."""

    name: str
    version: str = "latest"

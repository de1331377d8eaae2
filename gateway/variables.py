"""How the text of one environment variable becomes a value that cannot be wrong."""

import ipaddress
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias, TypeVar
from urllib.parse import urlsplit

import attrs

from tenants.registry.places import RegistryPlace, RegistryPlaceError
from tenants.secrets.places import SecretPlace

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
T = TypeVar("T")

_TENANT_ID = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_HOST_NAME = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?")
_VISIBLE_ASCII = re.compile(r"[!-~]+")
_ON = frozenset({"true", "1", "yes", "on"})
OFF = frozenset({"false", "0", "no", "off"})
_SHORTEST_SIGNING_SECRET = 32
_MOST_SECRETS = 2


@attrs.frozen
class RefusedError(Exception):
    """A text is not a value of its variable.

    Args:
        message: what is wrong with it; never quotes a secret.
        remedy: how to mend it.
    """

    message: str
    remedy: str


def one_of(*choices: str) -> Callable[[str], str]:
    """A parser of the given words; upper and lower case are the same to it."""

    def parse(text: str) -> str:
        for choice in choices:
            if choice.lower() == text.lower():
                return choice
        raise RefusedError(f"{text!r} is not one of its values", f"Use {' or '.join(choices)}")

    return parse


def comma_list(parse: Callable[[str], T]) -> Callable[[str], tuple[T, ...]]:
    """A parser of comma-separated values; empty ones are passed over."""

    def parse_all(text: str) -> tuple[T, ...]:
        return tuple(parse(part.strip()) for part in text.split(",") if part.strip())

    return parse_all


def not_built(what: str) -> Callable[[str], None]:
    """A parser that refuses every value, because ``what`` does not exist in this version."""

    def refuse(_text: str) -> None:
        raise RefusedError(f"{what} not part of this version yet", "Unset it")

    return refuse


def switch(text: str) -> bool:
    """``true`` or ``false``, also 1, yes, on, 0, no and off."""
    word = text.lower()
    if word not in _ON | OFF:
        raise RefusedError(f"{text!r} is neither true nor false", "Use true or false")
    return word in _ON


def workers(text: str) -> int:
    """``1``, since processes share nothing so far."""
    if _whole_number(text, 1, 1024) > 1:
        raise RefusedError(
            "several processes need PostgreSQL and Redis, which are not part of this version yet",
            "Use 1",
        )
    return 1


def host(text: str) -> str:
    """A name or an address to bind to."""
    if not _VISIBLE_ASCII.fullmatch(text) or "/" in text:
        raise RefusedError(f"{text!r} is no host", "Use a name or an address such as 127.0.0.1")
    return text.strip("[]")


def port(text: str) -> int:
    """A TCP port; 0 takes a free one."""
    return _whole_number(text, 0, 65535)


def seconds(text: str) -> float:
    """A time above zero, in seconds."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise RefusedError(
            f"{text!r} is no time in seconds", "Use a number above 0, in seconds, such as 15"
        )
    return value


def milliseconds(text: str) -> int:
    """A time in milliseconds."""
    return _whole_number(text, 1, 86_400_000)


def tenant_id(text: str) -> str:
    """A tenant's id: a DNS label in lower case."""
    if not _TENANT_ID.fullmatch(text):
        raise RefusedError(
            f"{text!r} is no tenant id",
            "Use lower-case letters, digits and inner hyphens, at most 63 characters",
        )
    return text


def network(text: str) -> Network:
    """A CIDR, or a single address."""
    try:
        return ipaddress.ip_network(text)
    except ValueError as error:
        raise RefusedError(
            f"{text!r} is no network ({error})", "Use CIDRs such as 10.0.0.0/8, comma-separated"
        ) from None


def upstream_host(text: str) -> str:
    """A host alone: a name in lower case, or an address without brackets."""
    name = text.lower().strip("[]")
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        if not _HOST_NAME.fullmatch(name):
            raise RefusedError(
                f"{text!r} is no host", "Name hosts alone, without scheme, port and path"
            ) from None
        return name


def upstream_hosts(text: str) -> frozenset[str]:
    """Comma-separated hosts, in any order."""
    return frozenset(comma_list(upstream_host)(text))


def registry(text: str) -> RegistryPlace:
    """``dir:PATH`` or ``gs://BUCKET/PREFIX``."""
    try:
        return RegistryPlace.parse(text)
    except RegistryPlaceError as error:
        remedy = error.remedy[0].upper() + error.remedy[1:]
        raise RefusedError(f"{error.text!r} names no registry", remedy) from None


def directory(text: str) -> Path:
    """A directory's path."""
    return _path_after("", text)


def secret_store(text: str) -> SecretPlace:
    """``env``, ``dir:PATH`` or ``gcp:PROJECT``."""
    try:
        return SecretPlace.parse(text)
    except ValueError as error:
        raise RefusedError(f"it is not of the form {error}", f"Use {error}") from None


def address(text: str) -> str:
    """``HOST:PORT``, of a server without encryption."""
    if not re.fullmatch(r"[A-Za-z0-9_.-]+:[0-9]{1,5}|\[[0-9A-Fa-f:.]+\]:[0-9]{1,5}", text):
        raise RefusedError(f"{text!r} is not of the form HOST:PORT", "Use such as localhost:9090")
    return text


def store(text: str) -> Path:
    """``sqlite:PATH``, the only kind of store so far."""
    if text.startswith(("postgresql:", "postgres:")):
        raise RefusedError("PostgreSQL is not part of this version yet", "Use sqlite:PATH")
    path = text.removeprefix("sqlite:")
    if path.startswith(("//", ":")):
        raise RefusedError("it does not name a file", "Use sqlite:PATH with a file's path")
    return _path_after("sqlite:", text)


def base_url(text: str) -> str:
    """An http(s) URL without credentials, query or trailing slash."""
    try:
        parts = urlsplit(text)
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not _VISIBLE_ASCII.fullmatch(text):
        raise RefusedError(
            "it is no http or https URL", "Use a URL such as http://localhost:11434/v1"
        )
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise RefusedError(
            "it carries credentials, a query or a fragment",
            "Use the URL alone, and OPENAI_API_KEY for the credential",
        )
    return text.rstrip("/")


def secret(text: str) -> str:
    """A credential that fits into an HTTP header; never quoted in a fault."""
    if not _VISIBLE_ASCII.fullmatch(text):
        raise RefusedError("it has spaces or characters outside ASCII", "Copy the key again")
    return text


def rotated_secrets(text: str) -> tuple[str, ...]:
    """One secret, or two while it is rotated."""
    secrets = comma_list(secret)(text)
    if not 1 <= len(secrets) <= _MOST_SECRETS:
        raise RefusedError("it is neither one secret nor two", "Use NEW, or NEW,OLD")
    return secrets


def operator_keys(text: str) -> tuple[str, ...]:
    """One key, or two while it is rotated; none that a tenant's credential could be."""
    found = rotated_secrets(text)
    if any(key.startswith(("agw_", "ags_")) for key in found):
        raise RefusedError(
            "it looks like a tenant's credential", "Make one by: openssl rand -hex 32"
        )
    return found


def signing_secrets(text: str) -> tuple[str, ...]:
    """As ``rotated_secrets``; long enough for HMAC with SHA-256 (RFC 7518)."""
    secrets = rotated_secrets(text)
    if min(map(len, secrets)) < _SHORTEST_SIGNING_SECRET:
        raise RefusedError(
            f"a secret of it has less than {_SHORTEST_SIGNING_SECRET} characters",
            "Make one by: openssl rand -hex 32",
        )
    return secrets


def otel_switch(text: str) -> None:
    """``none`` is accepted; anything else would turn on what does not exist so far."""
    if text.lower() != "none":
        not_built("OpenTelemetry is")(text)


def _whole_number(text: str, least: int, most: int) -> int:
    if re.fullmatch(r"[0-9]{1,9}", text) and least <= int(text) <= most:
        return int(text)
    raise RefusedError(
        f"{text!r} is not one of its values",
        f"Use a whole number from {least} to {most}",
    )


def _path_after(scheme: str, text: str) -> Path:
    path = text.removeprefix(scheme)
    if not text.startswith(scheme) or not path or "\0" in path:
        raise RefusedError(f"it is not of the form {scheme}PATH", f"Use {scheme}PATH")
    return Path(path)

"""The adapter of the place that an operator names; Google's libraries are imported where asked."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from tenants import grpc_words
from tenants.ports import Secrets, SecretStore
from tenants.secrets.cached import CachedSecrets
from tenants.secrets.directory import DirectorySecrets
from tenants.secrets.environment import EnvironmentSecrets
from tenants.secrets.places import SecretPlace
from tenants.secrets.stored import SecretLister, SecretWriter

if TYPE_CHECKING:
    from tenants.secrets.secret_manager import SecretManagerSecrets


def open_secrets(
    place: SecretPlace, variables: Mapping[str, str], emulator: str | None = None
) -> Secrets:
    """The secrets of a process that serves: cached where reading them takes time.

    Args:
        place: where they are.
        variables: the environment's ``AGW_…`` variables.
        emulator: ``host:port`` of a server in Secret Manager's place.
    """
    if place.kind == "env":
        return EnvironmentSecrets(variables)
    return CachedSecrets(open_store(place, variables, emulator))


def open_store(
    place: SecretPlace, variables: Mapping[str, str], emulator: str | None = None
) -> SecretStore:
    """The secrets as they are now, each read anew; arguments as of ``open_secrets``."""
    if place.kind == "env":
        return EnvironmentSecrets(variables)
    return _written(place, emulator)


def open_lister(
    place: SecretPlace, variables: Mapping[str, str], emulator: str | None = None
) -> SecretLister:
    """The same store for seeing what there is; arguments as of ``open_secrets``."""
    if place.kind == "env":
        return EnvironmentSecrets(variables)
    return _written(place, emulator)


def open_writer(place: SecretPlace, emulator: str | None = None) -> SecretWriter | None:
    """The same store for writing; None for the environment, which is written elsewhere."""
    return None if place.kind == "env" else _written(place, emulator)


def _written(place: SecretPlace, emulator: str | None) -> "DirectorySecrets | SecretManagerSecrets":
    if place.kind == "dir":
        return DirectorySecrets(Path(place.target))
    grpc_words.silence()
    from tenants.secrets.secret_manager import SecretManagerSecrets  # noqa: PLC0415  (takes 0.3 s)

    return SecretManagerSecrets(place.target, emulator=emulator)

"""Secrets in Google's Secret Manager: the secret ``agw_<id>_<NAME>`` of one project.

Importing this imports Google's libraries, so ``tenants.secrets.opening`` does it where they are
asked for, and nothing else does.
"""

from collections.abc import Set as AbstractSet
from contextlib import suppress
from typing import Literal

import google_crc32c
from google.api_core.exceptions import AlreadyExists, FailedPrecondition, NotFound
from google.cloud.secretmanager_v1 import (
    AddSecretVersionRequest,
    CreateSecretRequest,
    ListSecretsRequest,
    Replication,
    Secret,
    SecretPayload,
)
from google.cloud.secretmanager_v1 import SecretManagerServiceAsyncClient as Client
from google.cloud.secretmanager_v1 import SecretVersion as Version

from tenants.errors import SecretMissingError, SecretsUnavailableError
from tenants.model import SecretRef, is_secret_name
from tenants.secrets.places import expect_names, prefix, stored_name
from tenants.secrets.secret_manager_calls import (
    DEADLINE_SECONDS,
    PASSING,
    SecretManagerCalls,
)
from tenants.secrets.stored import SecretVersion, StoredSecret, value_of

_PROBE = "agw__probe"  # no tenant's id is empty, so this is nobody's secret
_NOT_THERE = (NotFound, FailedPrecondition)
_KEPT_VERSIONS = 2
_STATES: dict[int, Literal["enabled", "disabled", "destroyed"]] = {
    Version.State.ENABLED: "enabled",
    Version.State.DISABLED: "disabled",
    Version.State.DESTROYED: "destroyed",
}


class SecretManagerSecrets:
    """Reads and writes secrets of a project; connects at the first call.

    Args:
        project: its id or number.
        emulator: ``host:port`` of a server without encryption and credentials, in Google's place.
        deadline_seconds: for one call.
    """

    def __init__(
        self,
        project: str,
        *,
        emulator: str | None = None,
        deadline_seconds: float = DEADLINE_SECONDS,
    ) -> None:
        self._calls = SecretManagerCalls(project, emulator, deadline_seconds)

    async def read(self, tenant_id: str, ref: SecretRef) -> str:
        """The value, without the newline at its end.

        Raises:
            SecretMissingError: there is no such secret or version, or it is empty or disabled.
            SecretsUnavailableError: no good answer came in time.
        """
        expect_names(tenant_id, ref)
        name = f"{self._path(tenant_id, ref.name)}/versions/{ref.version}"
        try:
            payload = await self._payload(name)
        except NotFound:
            raise SecretMissingError(tenant_id, ref.name) from None
        except FailedPrecondition:
            reason = "its version is disabled or destroyed"
            raise SecretMissingError(tenant_id, ref.name, reason) from None
        return value_of(tenant_id, ref.name, _text(name, payload))

    async def reach(self) -> None:
        """See ``tenants.ports.SecretStore``; it reads what is not there."""
        try:
            await self._payload(f"{self._calls.project}/secrets/{_PROBE}/versions/latest")
        except _NOT_THERE:
            return

    async def close(self) -> None:
        """Close the connection."""
        await self._calls.close()

    async def write(self, tenant_id: str, name: str, value: str) -> int:
        """Add a version, to a secret that is made if need be.

        Raises:
            SecretsUnavailableError: it could not be written.
        """
        expect_names(tenant_id, SecretRef(name))
        data = value.encode()
        payload = SecretPayload(data=data, data_crc32c=google_crc32c.value(data))
        request = AddSecretVersionRequest(parent=self._path(tenant_id, name), payload=payload)

        async def add(client: Client) -> Version:
            return await client.add_secret_version(request)

        try:
            return _number(await self._calls.ask(add, expected=(NotFound,)))
        except NotFound:
            await self._make(stored_name(tenant_id, name))
        return _number(await self._calls.ask(add))

    async def stored(self, tenant_id: str) -> tuple[StoredSecret, ...]:
        """A tenant's secrets, by name.

        Raises:
            SecretsUnavailableError: they could not be listed.
        """
        beginning = prefix(tenant_id)
        request = ListSecretsRequest(parent=self._calls.project, filter=f"name:{beginning}")

        async def names(client: Client) -> list[str]:
            pages = await client.list_secrets(request, retry=PASSING)
            return [secret.name.rpartition("/")[2] async for secret in pages]

        found = await self._calls.ask(names)
        own = sorted(name.removeprefix(beginning) for name in found if name.startswith(beginning))
        return tuple(
            [
                StoredSecret(name, tuple(await self._versions(tenant_id, name)))
                for name in own
                if is_secret_name(name)
            ]
        )

    async def retire(
        self, tenant_id: str, name: str, pinned: AbstractSet[int] = frozenset()
    ) -> tuple[int, ...]:
        """See ``tenants.secrets.stored.SecretWriter``."""
        versions = await self._versions(tenant_id, name)
        enabled = [each.number for each in versions if each.state == "enabled"]
        unused = [number for number in enabled[_KEPT_VERSIONS:] if number not in pinned]
        for number in unused:
            await self._disable(f"{self._path(tenant_id, name)}/versions/{number}")
        return tuple(unused)

    def _path(self, tenant_id: str, name: str) -> str:
        return f"{self._calls.project}/secrets/{stored_name(tenant_id, name)}"

    async def _payload(self, name: str) -> SecretPayload:
        answer = await self._calls.ask(
            lambda client: client.access_secret_version(name=name, retry=PASSING), _NOT_THERE
        )
        return answer.payload

    async def _make(self, secret_id: str) -> None:
        secret = Secret(replication=Replication(automatic=Replication.Automatic()))
        request = CreateSecretRequest(
            parent=self._calls.project, secret_id=secret_id, secret=secret
        )
        with suppress(AlreadyExists):  # Somebody else was quicker.
            await self._calls.ask(lambda client: client.create_secret(request), (AlreadyExists,))

    async def _disable(self, name: str) -> None:
        await self._calls.ask(lambda client: client.disable_secret_version(name=name))

    async def _versions(self, tenant_id: str, name: str) -> list[SecretVersion]:
        """The newest first."""
        path = self._path(tenant_id, name)

        async def versions(client: Client) -> list[Version]:
            pages = await client.list_secret_versions(parent=path, retry=PASSING)
            return [version async for version in pages]

        found = [
            SecretVersion(_number(each), _STATES[each.state], int(each.create_time.timestamp()))
            for each in await self._calls.ask(versions)
            if each.state in _STATES
        ]
        return sorted(found, key=lambda each: each.number, reverse=True)


def _number(version: Version) -> int:
    return int(version.name.rpartition("/")[2])


def _text(name: str, payload: SecretPayload) -> str:
    """A payload's text; half a key is none.

    Raises:
        SecretsUnavailableError: it was altered on its way, or is no text.
    """
    if "data_crc32c" in payload and payload.data_crc32c != google_crc32c.value(payload.data):
        raise SecretsUnavailableError(f"what came of {name} does not match its checksum")
    try:
        return payload.data.decode()
    except UnicodeDecodeError:
        raise SecretsUnavailableError(f"{name} is no text in UTF-8") from None

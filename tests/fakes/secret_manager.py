"""Google's Secret Manager as a gRPC server on a loopback port, over the library's own types.

Use it as an asynchronous context manager::

    async with SecretManager() as store:
        store.put("acme", "openai-api-key", "sk-1")
        ...  # store.address, store.accesses

What it answers follows the service: ``latest`` is the newest version whatever its state, a
disabled one answers FAILED_PRECONDITION, and names in answers carry the project's number.
"""

import asyncio
import time
from collections import Counter, deque
from typing import Any, Self

import attrs
import google_crc32c
import grpc
from google.cloud.secretmanager_v1.types import resources, service

PROJECT = "acme-project"
_NUMBER = "1234567890"
_STATES = resources.SecretVersion.State
_REQUESTS = {
    "CreateSecret": service.CreateSecretRequest,
    "ListSecrets": service.ListSecretsRequest,
    "AddSecretVersion": service.AddSecretVersionRequest,
    "AccessSecretVersion": service.AccessSecretVersionRequest,
    "ListSecretVersions": service.ListSecretVersionsRequest,
    "DisableSecretVersion": service.DisableSecretVersionRequest,
}


@attrs.define
class Version:
    """One version of a secret."""

    data: bytes
    state: Any = _STATES.ENABLED
    created_at: int = attrs.Factory(lambda: int(time.time()))


class SecretManager:
    """The server.

    Attributes:
        address: ``host:port``; there once it was entered.
        secrets: versions by secret id, oldest first.
        accesses: how often each secret's value was asked for, faults included.
        calls: how often each method was called.
        most_at_once: of the calls that it worked on.
        gate: calls wait for it; clear it to be slow.
        forbidden: methods that answer PERMISSION_DENIED.
        garbled: whether payloads are altered after their checksum was made.
        page_size: of lists.
    """

    def __init__(self) -> None:
        self.address = ""
        self.secrets: dict[str, list[Version]] = {}
        self.accesses: Counter[str] = Counter()
        self.calls: Counter[str] = Counter()
        self.most_at_once = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.forbidden: set[str] = set()
        self.garbled = False
        self.page_size = 2
        self._at_once = 0
        self._faults: deque[grpc.StatusCode] = deque()
        self._away: grpc.StatusCode | None = None

    def put(self, tenant_id: str, name: str, value: str | bytes) -> None:
        """Add a version to a tenant's secret."""
        data = value.encode() if isinstance(value, str) else value
        self.secrets.setdefault(f"agw_{tenant_id}_{name}", []).append(Version(data))

    def disable(self, tenant_id: str, name: str) -> None:
        """Disable the newest version."""
        self.secrets[f"agw_{tenant_id}_{name}"][-1].state = _STATES.DISABLED

    def fail(self, *codes: grpc.StatusCode) -> None:
        """Answer the next calls with these, one each."""
        self._faults.extend(codes)

    def away(self, code: grpc.StatusCode | None) -> None:
        """Answer every call with this from now on; None: be back."""
        self._away = code

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.gate.set()
        await self.stop()

    async def start(self) -> None:
        """Listen; the second time on the same port."""
        self._server = grpc.aio.server()
        handlers = {
            name: grpc.unary_unary_rpc_method_handler(
                self._method(name),
                request_deserializer=request.deserialize,
                response_serializer=lambda answer: type(answer).serialize(answer),
            )
            for name, request in _REQUESTS.items()
        }
        name = "google.cloud.secretmanager.v1.SecretManagerService"
        self._server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler(name, handlers),)
        )
        port = self._server.add_insecure_port(self.address or "127.0.0.1:0")
        self.address = f"127.0.0.1:{port}"
        await self._server.start()

    async def stop(self) -> None:
        """Listen no more, and cut what is open."""
        await self._server.stop(None)

    def _method(self, name: str) -> Any:
        answer = getattr(self, f"_{name}")

        async def method(request: Any, context: Any) -> Any:
            self.calls[name] += 1
            if name == "AccessSecretVersion":
                self.accesses[request.name.split("/")[3]] += 1
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            try:
                await self.gate.wait()
                fault = self._faults.popleft() if self._faults else self._away
                if name in self.forbidden:
                    fault = grpc.StatusCode.PERMISSION_DENIED
                if fault is not None:
                    await context.abort(fault, "scripted")
                return await answer(request, context)
            finally:
                self._at_once -= 1

        return method

    async def _CreateSecret(self, request: Any, context: Any) -> Any:  # noqa: N802 - the wire's name
        if request.secret_id in self.secrets:
            await context.abort(grpc.StatusCode.ALREADY_EXISTS, "exists")
        if "automatic" not in request.secret.replication:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "no replication")
        self.secrets[request.secret_id] = []
        return resources.Secret(name=_name(request.secret_id))

    async def _ListSecrets(self, request: Any, _: Any) -> Any:  # noqa: N802 - the wire's name
        part = request.filter.removeprefix("name:")
        names = [_name(each) for each in sorted(self.secrets) if part in each]
        page, token = self._page(names, request.page_token)
        found = [resources.Secret(name=name) for name in page]
        return service.ListSecretsResponse(secrets=found, next_page_token=token)

    async def _ListSecretVersions(self, request: Any, context: Any) -> Any:  # noqa: N802 - the wire's name
        secret_id, versions = await self._found(request.parent, context)
        numbers = range(len(versions), 0, -1)
        page, token = self._page([self._shown(secret_id, n) for n in numbers], request.page_token)
        return service.ListSecretVersionsResponse(versions=page, next_page_token=token)

    async def _AddSecretVersion(self, request: Any, context: Any) -> Any:  # noqa: N802 - the wire's name
        secret_id, versions = await self._found(request.parent, context)
        data = request.payload.data
        if request.payload.data_crc32c != google_crc32c.value(data):
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "checksum")
        versions.append(Version(data))
        return self._shown(secret_id, len(versions))

    async def _AccessSecretVersion(self, request: Any, context: Any) -> Any:  # noqa: N802 - the wire's name
        secret_id, number = await self._numbered(request.name, context)
        version = self.secrets[secret_id][number - 1]
        if version.state != _STATES.ENABLED:
            words = f"Secret Version is in {_STATES(version.state).name} state."
            await context.abort(grpc.StatusCode.FAILED_PRECONDITION, words)
        data = version.data
        payload = resources.SecretPayload(
            data=data[:-1] if self.garbled else data, data_crc32c=google_crc32c.value(data)
        )
        name = self._shown(secret_id, number).name
        return service.AccessSecretVersionResponse(name=name, payload=payload)

    async def _DisableSecretVersion(self, request: Any, context: Any) -> Any:  # noqa: N802 - the wire's name
        secret_id, number = await self._numbered(request.name, context)
        self.secrets[secret_id][number - 1].state = _STATES.DISABLED
        return self._shown(secret_id, number)

    def _shown(self, secret_id: str, number: int) -> Any:
        version = self.secrets[secret_id][number - 1]
        return resources.SecretVersion(
            name=f"{_name(secret_id)}/versions/{number}",
            state=version.state,
            create_time={"seconds": version.created_at},
        )

    def _page(self, whole: list[Any], token: str) -> tuple[list[Any], str]:
        begin = int(token or 0)
        end = begin + self.page_size
        return whole[begin:end], str(end) if end < len(whole) else ""

    async def _found(self, name: str, context: Any) -> tuple[str, list[Version]]:
        _, project, _, secret_id = name.split("/")
        if project not in {PROJECT, _NUMBER} or secret_id not in self.secrets:
            await context.abort(grpc.StatusCode.NOT_FOUND, f"Secret [{name}] not found.")
        return secret_id, self.secrets[secret_id]

    async def _numbered(self, name: str, context: Any) -> tuple[str, int]:
        parent, _, version = name.partition("/versions/")
        secret_id, versions = await self._found(parent, context)
        number = len(versions) if version == "latest" else int(version)
        if not 1 <= number <= len(versions):
            await context.abort(grpc.StatusCode.NOT_FOUND, f"Secret Version [{name}] not found.")
        return secret_id, number


def _name(secret_id: str) -> str:
    return f"projects/{_NUMBER}/secrets/{secret_id}"

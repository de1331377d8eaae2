"""A client of the operator's API."""

import functools
import json
import re
from typing import Any

import aiohttp
import attrs
import jsonschema_rs
from yarl import URL

from gateway.http.admin.document import COMPONENTS
from gateway.http.admin.operations import PATHS
from tenants.registry.objects import Objects
from tests.fakes.gcs import FakeGcs
from tests.fakes.json_schema import closed
from tests.fakes.operator import DOCUMENT

ADMIN_KEY = "planted-operator-key-1"
SECOND_KEY = "planted-operator-key-2"


def files_of(tenant_id: str, instructions: str = "Be brief.", more: str = "") -> dict[str, Any]:
    """A small tenant's files, as they are sent."""
    document = DOCUMENT.format(tenant_id=tenant_id) + more
    return {"tenant.toml": document, "instructions.md": instructions}


def operation_of(method: str, path: str) -> dict[str, Any]:
    """What the document says of a request."""
    for template, item in PATHS.items():
        if re.fullmatch(re.sub(r"{\w+}", "[^/]*", template), path.partition("?")[0]):
            return item.get(method.lower()) or next(iter(item.values()))
    raise AssertionError(f"{path} is not documented")


@functools.cache
def _validator(method: str, path: str, status: str, media_type: str) -> Any:
    said = operation_of(method, path)["responses"][status]
    said = COMPONENTS["responses"][status] if "$ref" in said else said
    schema = {**said["content"][media_type]["schema"], "components": COMPONENTS}
    return jsonschema_rs.validator_for(closed(json.loads(json.dumps(schema))))


@attrs.frozen
class Answer:
    """What came back."""

    status: int
    json: Any
    headers: Any
    text: str


@attrs.frozen
class AdminClient:
    """Asks the operator's API.

    Args:
        url: of the port that has it.
        key: None: none is sent.
    """

    session: aiohttp.ClientSession
    url: str
    key: str | None = ADMIN_KEY

    async def ask(self, method: str, path: str, **options: Any) -> Answer:
        """One request below ``/admin/api``, whatever becomes of it, as long as it is documented."""
        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        headers |= options.pop("headers", {})
        url = URL(f"{self.url}/admin/api{path}", encoded=True)
        async with self.session.request(method, url, headers=headers, **options) as answer:
            text = await answer.text()
            found = await answer.json(content_type=None) if text else None
            _validator(method, path, str(answer.status), answer.content_type).validate(found)
            return Answer(answer.status, found, answer.headers, text)

    async def get(self, path: str, status: int = 200, **options: Any) -> Any:
        """What a GET answers, as JSON."""
        return await self._expect("GET", path, status, options)

    async def post(self, path: str, status: int = 200, **body: Any) -> Any:
        """What a POST of these fields answers, as JSON."""
        return await self._expect("POST", path, status, {"json": body})

    async def delete(self, path: str, status: int = 200) -> Any:
        """What a DELETE answers, as JSON."""
        return await self._expect("DELETE", path, status, {})

    async def create(self, tenant_id: str = "acme", **more: Any) -> Any:
        """A new tenant."""
        wanted = {"files": files_of(tenant_id), **more}
        return await self.post("/tenants", 201, id=tenant_id, **wanted)

    async def _expect(self, method: str, path: str, status: int, options: Any) -> Any:
        answer = await self.ask(method, path, **options)
        assert answer.status == status, answer.text
        return answer.json


@attrs.frozen
class Place:
    """A registry: how it is named to a gateway, and what is in it.

    Args:
        bucket: where it is in one.
    """

    environ: dict[str, str]
    objects: Objects
    bucket: FakeGcs | None = None

"""The document of the operator's API: complete, served, and true of whatever is sent.

Every answer to ``tests.fakes.admin_client`` is held against it too.
"""

import asyncio
import json
import re
import shlex
import sys
from pathlib import Path

import jsonschema_rs
import pytest

from gateway.http.admin.document import COMPONENTS, DOCUMENT
from gateway.http.admin.operations import PATHS
from gateway.http.admin.routes import HANDLERS
from tests.fakes.admin_client import ADMIN_KEY, operation_of

pytest_plugins = ("tests.fakes.admin_fixtures",)
DOCUMENTATION = (Path(__file__).parents[2] / "docs" / "admin.md").read_text(encoding="utf-8")
ON_DISK = pytest.mark.parametrize("place", ["directory"], indirect=True)

# Litestar's own answer to OPTIONS names one of a path's handlers alone: that check is left out.
# Correct requests for tenants, revisions and keys that are not there, or are in another state.
SCHEMATHESIS = """
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "400", "404", "409"]
"""


def test_every_route_is_documented():
    """The document describes exactly the routes that exist."""
    routes = {
        (method.lower(), re.sub(r":\w+}", "}", path))
        for handler in HANDLERS
        for path in handler.paths
        for method in handler.http_methods
    }

    assert {(method, path) for path, item in PATHS.items() for method in item} == routes


def test_every_operation_has_a_name_for_generated_clients():
    """A name of its own, in the form of a function's, and a tag that the document describes."""
    operations = [operation for item in PATHS.values() for operation in item.values()]
    names = {operation["operationId"] for operation in operations}
    tags = {tag for operation in operations for tag in operation["tags"]}

    assert len(names) == len(operations)
    assert all(name.isidentifier() for name in names)
    assert tags == {tag["name"] for tag in DOCUMENT["tags"]}


def test_every_reference_leads_somewhere():
    """No schema, answer or header is missing."""
    text = json.dumps([PATHS, COMPONENTS])

    for kind, name in re.findall(r'"#/components/(\w+)/([\w-]+)"', text):
        assert name in COMPONENTS[kind]


def _documented_commands():
    """Each curl line of the documentation: method, path and body."""
    joined = DOCUMENTATION.replace(',\n  "', ', "').replace('{\n  "', '{"')
    for line in re.findall(r"^(?:admin|.*`admin) (\"?\$API.*?)`?$", joined, re.MULTILINE):
        address, *options = shlex.split(line.rstrip("`."))
        body = options[options.index("-d") + 1] if "-d" in options else None
        default = "GET" if body is None else "POST"
        method = options[options.index("-X") + 1] if "-X" in options else default
        yield method, address.removeprefix("$API"), body


def test_every_route_is_documented_with_a_command():
    """Each has a curl line, and each line asks what a route takes."""
    found = set()
    for method, path, body in _documented_commands():
        operation = operation_of(method, path)
        found.add((method, operation["summary"]))
        if body is not None:
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            jsonschema_rs.validate({**schema, "components": COMPONENTS}, json.loads(body))

    assert found == {
        (method.upper(), operation["summary"])
        for item in PATHS.values()
        for method, operation in item.items()
    }


@ON_DISK
async def test_the_document_is_served_to_operators(admin, http):
    """With the key alone."""
    found = await admin.get("/openapi.json")
    async with http.get(f"{admin.url}/admin/api/openapi.json") as answer:
        assert answer.status == 401

    assert found["openapi"].startswith("3.1")
    assert found["paths"] == json.loads(json.dumps(PATHS))
    assert found["servers"] == [{"url": "/admin/api"}]


@ON_DISK
async def test_generated_requests_find_no_fault(admin, operated, tmp_path):
    """Neither correct nor broken requests, as schemathesis makes them, meet a 500 or a surprise."""
    await admin.create()
    (tmp_path / "schemathesis.toml").write_text(SCHEMATHESIS)
    document = tmp_path / "openapi.json"
    document.write_text(json.dumps(await admin.get("/openapi.json")))
    program = Path(sys.executable).with_name("st")
    arguments = [
        *("--config-file", tmp_path / "schemathesis.toml", "run", document),
        *("--url", f"{operated.url}/admin/api"),
        *("--header", f"Authorization: Bearer {ADMIN_KEY}"),
        *("--mode", "all", "--max-examples", "5", "--seed", "1", "--continue-on-failure"),
        *("--exclude-checks", "allow_header_conformance", "--no-color"),
        *("--suppress-health-check", "all", "--warnings", "off"),
    ]

    process = await asyncio.create_subprocess_exec(
        program, *arguments, cwd=tmp_path, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await asyncio.wait_for(process.communicate(), timeout=120)

    assert process.returncode == 0, output.decode()
    assert f"{sum(map(len, PATHS.values()))} passed".encode() in output

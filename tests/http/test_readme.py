"""The README to the letter: its lines are run in a shell, beside a gateway that serves."""

import asyncio
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.gateway import serving
from tests.fakes.simulator import RecordingSimulator
from tests.fakes.tenantctl import environment

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
FIVE_MINUTES = README.partition("## A tenant in five minutes")[2].partition("\n## ")[0]
ONBOARDING, CHANGING = re.findall(r"^```\n(.*?)^```\n", FIVE_MINUTES, re.DOTALL | re.MULTILINE)
LOCAL = "http://127.0.0.1:8000"
CHAT = re.search(r"^curl .*?(?<!\\)\n", CHANGING, re.DOTALL | re.MULTILINE)[0]
PUBLISHING, ROLLING_BACK = CHANGING.split(CHAT)


@pytest.fixture
async def environ(tmp_path):
    """The variables of a gateway in development, and of the operator beside it."""
    (tmp_path / "registry").mkdir()
    async with RecordingSimulator() as upstream:
        yield {
            "GATEWAY_TENANTS": f"dir:{tmp_path / 'registry'}",
            "GATEWAY_STORE": f"sqlite:{tmp_path / 'gateway.db'}",
            "OPENAI_BASE_URL": upstream.base_url,
            "OPENAI_API_KEY": "sk-operator",
        }


@pytest.fixture
def paste(environ, tmp_path):
    """Pastes lines into a shell; what it printed."""
    programs = Path(sys.executable).parent

    async def call(lines):
        known = environment(environ)
        done = await asyncio.to_thread(
            subprocess.run,
            ["bash", "-eu", "-c", lines],
            cwd=tmp_path,
            env={**known, "PATH": f"{programs}:{known['PATH']}"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
        return done.stdout

    return call


async def test_a_tenant_in_five_minutes(environ, paste, require_program):
    """Onboarded, changed, published, asked about an invoice, and rolled back."""
    require_program("bash")
    require_program("curl")
    async with serving(environ) as gateway:
        onboarded = await paste(ONBOARDING)
        (hello,) = [line for line in onboarded.splitlines() if "curl -sS" in line]
        greeted = await paste(hello.replace(LOCAL, gateway.url))
        await paste(PUBLISHING)
        answer = ""
        async with asyncio.timeout(10):  # The gateway sees a change soon, not at once.
            while "status paid" not in answer:
                answer = await paste(CHAT.replace(LOCAL, gateway.url))
        rolled_back = await paste(ROLLING_BACK)

    assert "invoices" in greeted
    assert "revision 1 is in force" in rolled_back

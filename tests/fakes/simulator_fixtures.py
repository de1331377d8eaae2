"""The simulator and clients of it, for ``pytest_plugins``."""

import httpx2
import openai
import pytest

from gateway.simulator.server import Simulator


@pytest.fixture
async def simulator():
    """A simulator on a free port."""
    async with Simulator() as running:
        yield running


@pytest.fixture
async def sdk(simulator):
    """The official client of it."""
    async with openai.AsyncOpenAI(
        base_url=simulator.base_url, api_key="sk-any", max_retries=0
    ) as client:
        yield client


@pytest.fixture
async def http(simulator):
    """A plain HTTP client of it."""
    async with httpx2.AsyncClient(
        base_url=simulator.base_url, headers={"authorization": "Bearer sk-any"}
    ) as client:
        yield client

"""The variables of a gateway with two tenants, one of which has functions."""

from pathlib import Path

from tests.fakes.gateway import write_tenant

WEATHER = '''
def get_weather(city: str) -> dict:
    """The weather in a city."""
    return {"city": city, "sky": "sunny"}

TOOL_MAP = {"get_weather": get_weather}
'''
OPERATOR_KEY = "sk-operator-planted"


def two_tenants(folder: Path, base_url: str, tools: str = WEATHER) -> dict[str, str]:
    """Write ``acme``, with the functions, and ``globex``; what the gateway is told of them."""
    tenants = folder / "tenants"
    write_tenant(tenants, "acme", instructions="You are Acme.", tools=tools)
    write_tenant(tenants, "globex", instructions="You are Globex.")
    return {
        "GATEWAY_TENANTS": f"dir:{tenants}",
        "GATEWAY_STORE": f"sqlite:{folder / 'gateway.db'}",
        "OPENAI_BASE_URL": base_url,
        "OPENAI_API_KEY": OPERATOR_KEY,
    }

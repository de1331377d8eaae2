"""Makes tenants for the gateway to serve."""

from pathlib import Path

from bench.prompts import INSTRUCTIONS, MODEL

_DOCUMENT = """\
schema_version = 1
tenant_id = "{tenant}"
display_name = "Bench {number}"

[assistant]
id = "asst_bench_{number}"
model = "{model}"
"""
_TOOLS = """\

[tools]
module = "tools.py"
isolation = "inline"
"""
_MODULE = '''\
"""What tenant {number} can do."""


def get_weather(city: str, unit: str = "celsius") -> str:
    """Say what the weather is like.

    Args:
        city: the name of the city.
        unit: celsius or fahrenheit.
    """
    return f"Sunny in {{city}}, 21 degrees {{unit}}."


def search_customers(query: str, limit: int = 10) -> list[str]:
    """Search the customers of tenant {number}.

    Args:
        query: words of the name.
        limit: how many to return at most.
    """
    return [query] * limit


def open_ticket(title: str, urgent: bool = False) -> dict[str, str]:
    """Open a ticket for the support team.

    Args:
        title: what it is about.
        urgent: whether somebody has to be woken.
    """
    return {{"title": title, "queue": "urgent" if urgent else "normal"}}


TOOL_MAP = {{
    "get_weather": get_weather,
    "search_customers": search_customers,
    "open_ticket": open_ticket,
}}
'''


def tenant_id(index: int) -> str:
    """The id of the ``index``-th tenant, from 0."""
    return f"bench-{index:05d}"


def write_tenants(folder: Path, count: int, *, tools: bool = False) -> None:
    """Write a registry's directory.

    Args:
        folder: made here.
        count: how many tenants, each with 600 characters of instructions of its own.
        tools: whether each has three functions.
    """
    for index in range(count):
        home = folder / tenant_id(index)
        home.mkdir(parents=True)
        _write(home, index, tools=tools)


def _write(home: Path, index: int, *, tools: bool) -> None:
    document = _DOCUMENT.format(tenant=home.name, number=index, model=MODEL)
    instructions = f"You serve tenant {index}. {INSTRUCTIONS}"[: len(INSTRUCTIONS)]
    (home / "instructions.md").write_text(instructions, encoding="utf-8")
    (home / "tenant.toml").write_text(document + _TOOLS * tools, encoding="utf-8")
    if tools:
        (home / "tools.py").write_text(_MODULE.format(number=index), encoding="utf-8")

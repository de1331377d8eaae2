"""The weather of any city, made up from its name, so that it is the same at every call."""

import asyncio
import hashlib
from dataclasses import dataclass
from typing import Annotated

SKIES = ("clear", "cloudy", "foggy", "rainy", "snowy", "stormy", "sunny", "windy")


@dataclass
class Weather:
    """What it is like."""

    city: str
    day: int
    sky: str
    celsius: int


def weather_of(city: str, day: int) -> Weather:
    """The weather of a city, ``day`` days from now."""
    digest = hashlib.sha256(f"{city.casefold()}/{day}".encode()).digest()
    return Weather(city, day, SKIES[digest[0] % len(SKIES)], digest[1] % 40 - 5)


async def get_weather(city: str) -> Weather:
    """Tell the weather of a city as it is now.

    Args:
        city: the city's name, such as Paris.
    """
    await asyncio.sleep(0)
    return weather_of(city, 0)


def get_forecast(
    city: Annotated[str, "the city's name, such as Paris"],
    days: Annotated[int, "how many days ahead, 1 to 7"] = 3,
) -> list[Weather]:
    """Forecast the weather of a city for the next days."""
    return [weather_of(city, day) for day in range(1, min(max(days, 1), 7) + 1)]


TOOL_MAP = {"get_weather": get_weather, "get_forecast": get_forecast}

"""The functions."""


def get_weather(city):
    """Tell the weather of a city."""
    return {"city": city, "weather": "sun"}


TOOL_MAP = {"get_weather": get_weather}

raise SystemExit("whoever runs this file has not read it as data")

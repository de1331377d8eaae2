"""Reading a profile: time goes to the function of Python's that spent it."""

import cProfile
import pstats
import time

import pytest

from bench.hotspots import packages, short, spots


def spin() -> None:
    """Spend time in a built-in function."""
    sum(range(300_000))


def outer() -> None:
    """Call what spends time."""
    for _ in range(3):
        spin()


def idle() -> None:
    """Spend none, often."""
    for _ in range(3):
        pass


@pytest.fixture
def found():
    """The spots of a profile in which nearly all time is in ``spin``."""
    profile = cProfile.Profile(time.thread_time)
    with profile:
        for _ in range(5):
            spin()
            idle()
    return spots(pstats.Stats(profile).stats)


def test_built_in_time_is_charged_to_its_caller(found):
    """``sum`` is not a spot; the function that calls it is the first one, with its calls."""
    dearest = found[0]

    assert dearest.place[2] == "spin"
    assert dearest.calls == 5
    assert dearest.inclusive_seconds == pytest.approx(dearest.seconds)
    assert dearest.seconds > 0.9 * sum(spot.seconds for spot in found)
    assert all(spot.place[2] != "<built-in method builtins.sum>" for spot in found)


def test_what_is_called_counts_to_its_caller_inclusively():
    """A function that only calls others has little time of its own and all of theirs."""
    profile = cProfile.Profile(time.thread_time)
    profile.runcall(outer)

    by_name = {spot.place[2]: spot for spot in spots(pstats.Stats(profile).stats)}

    assert by_name["outer"].seconds < 0.1 * by_name["spin"].seconds
    assert by_name["outer"].inclusive_seconds >= by_name["spin"].seconds


def test_no_time_is_lost(found):
    """The packages' seconds add up to the spots' seconds."""
    assert sum(seconds for _, seconds in packages(found)) == pytest.approx(
        sum(spot.seconds for spot in found)
    )


@pytest.mark.parametrize(
    ("file", "path"),
    [
        ("/x/gateway/venv/lib/python3.11/site-packages/aiohttp/client.py", "aiohttp/client.py"),
        ("/x/lib/python3.11/asyncio/tasks.py", "asyncio/tasks.py"),
        ("/x/main/gateway/runs/log.py", "gateway/runs/log.py"),
        ("<string>", "<string>"),
    ],
)
def test_paths_are_shown_from_their_package_on(file, path):
    """What is the machine's is left out."""
    assert short(file) == path

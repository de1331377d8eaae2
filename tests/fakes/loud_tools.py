"""A tool module whose runs are too large for their events to be kept."""

LOUD = '''
import base64
import os


def make_noise() -> str:
    """Make a noise that does not compress."""
    return base64.b85encode(os.urandom(48_000)).decode()


TOOL_MAP = {"make_noise": make_noise}
'''

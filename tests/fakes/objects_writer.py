"""A program that writes one object over and over, to be killed while it does.

Each content is two MiB of one letter, which is its label too; a line on standard output follows.
"""

import itertools
import sys

from tenants.registry.opening import open_objects

if __name__ == "__main__":
    place, emulator, name = sys.argv[1:]
    objects = open_objects(place, {"STORAGE_EMULATOR_HOST": emulator})
    for letter in itertools.cycle("abc"):
        content = letter.encode() * 2 * 1024 * 1024
        objects.write(name, content, expected=None, labels={"letter": letter})
        sys.stdout.write(f"{letter}\n")
        sys.stdout.flush()

"""Where a registry is kept, as an operator writes it."""

import subprocess
import sys

import pytest

from tenants.registry.files import FileObjects
from tenants.registry.opening import open_objects
from tenants.registry.places import RegistryPlace, RegistryPlaceError


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("dir:./examples/tenants", RegistryPlace("dir", "./examples/tenants")),
        ("dir:/srv/a b:c", RegistryPlace("dir", "/srv/a b:c")),
        ("gs://acme-tenants", RegistryPlace("gs", "acme-tenants")),
        ("gs://acme.tenants_1/", RegistryPlace("gs", "acme.tenants_1")),
        ("gs://acme-tenants/eu/prod", RegistryPlace("gs", "acme-tenants", "eu/prod")),
        ("gs://acme-tenants/eu/prod/", RegistryPlace("gs", "acme-tenants", "eu/prod")),
    ],
)
def test_place_is_read(text, place):
    """A directory or a bucket, with or without a prefix; and it is written as it is read."""
    assert RegistryPlace.parse(text) == place
    assert RegistryPlace.parse(str(place)) == place


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("", "dir:PATH or gs://BUCKET/PREFIX"),
        ("./examples/tenants", "dir:PATH or gs://BUCKET/PREFIX"),
        ("s3://bucket", "dir:PATH or gs://BUCKET/PREFIX"),
        ("dir:", "path after dir:"),
        ("dir:a\0b", "path after dir:"),
        ("gs://", "a bucket's name is"),
        ("gs:///prefix", "a bucket's name is"),
        ("gs://Acme", "a bucket's name is"),
        ("gs://ab?x", "a bucket's name is"),
        ("gs://acme-tenants//", "its prefix is"),
        ("gs://acme-tenants/a//b", "its prefix is"),
        ("gs://acme-tenants/../b", "its prefix is"),
        ("gs://acme-tenants/a*", "its prefix is"),
    ],
)
def test_what_is_no_place_says_how_to_write_one(text, remedy):
    """An operator who mistyped it is told what it should look like."""
    with pytest.raises(RegistryPlaceError) as raised:
        open_objects(text, {})

    assert raised.value.text == text
    assert remedy in str(raised.value)


def test_directory_is_opened(tmp_path):
    """A directory needs nothing but itself."""
    assert isinstance(open_objects(f"dir:{tmp_path}", {}), FileObjects)


def test_google_is_imported_where_a_bucket_is_named():
    """A gateway over a directory has none of Google's library in memory."""
    program = (
        "import sys; from tenants.registry.opening import open_objects;"
        "open_objects('dir:.', {}); before = 'google' in sys.modules;"
        "open_objects('gs://bucket', {}); print(before, 'google.cloud.storage' in sys.modules)"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert done.stdout == "False True\n"

"""An empty registry on each adapter of objects, for ``pytest_plugins``."""

import pytest

from tenants.registry.files import FileObjects
from tenants.registry.gcs import GcsObjects
from tenants.registry.gcs_calls import Patience
from tests.fakes.gcs import fake_gcs

_PATIENCE = Patience(total_seconds=30, first_wait_seconds=0.01, longest_wait_seconds=0.1)


@pytest.fixture(params=["directory", "bucket"])
def objects(request, tmp_path):
    """An empty registry, in a directory and in a bucket."""
    if request.param == "directory":
        yield FileObjects(tmp_path)
    else:
        with fake_gcs("tenants") as gcs:
            yield GcsObjects("tenants", "production", emulator=gcs.url, patience=_PATIENCE)

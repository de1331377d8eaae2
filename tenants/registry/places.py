"""Where a registry is kept, as an operator names it: ``dir:PATH`` or ``gs://BUCKET/PREFIX``.

``GATEWAY_TENANTS`` and ``tenantctl --registry`` are written in it.
"""

import re
from typing import Literal, Self

import attrs

from tenants.errors import TenantsError

# https://cloud.google.com/storage/docs/buckets#naming
_BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]")
_PREFIX = re.compile(r"([A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*/?)?")


@attrs.frozen
class RegistryPlaceError(TenantsError):
    """What an operator named is no place of a registry.

    Args:
        text: what was written.
        remedy: how it is to be written.
    """

    text: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.text!r} names no registry: {self.remedy}"


@attrs.frozen
class RegistryPlace:
    """A place of a registry.

    Args:
        kind: ``dir``: a directory; ``gs``: a bucket of Google Cloud Storage.
        target: the directory's path, or the bucket's name.
        prefix: what its objects' names begin with, without slashes at its ends; may be empty.
    """

    kind: Literal["dir", "gs"]
    target: str
    prefix: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what an operator wrote.

        Raises:
            RegistryPlaceError: with how it is to be written.
        """
        if text.startswith("gs://"):
            return cls._bucket(text)
        path = text.removeprefix("dir:")
        if path == text:
            raise RegistryPlaceError(text, "write dir:PATH or gs://BUCKET/PREFIX")
        if not path or "\0" in path:
            raise RegistryPlaceError(text, "write the directory's path after dir:")
        return cls("dir", path)

    @classmethod
    def _bucket(cls, text: str) -> Self:
        bucket, _, prefix = text.removeprefix("gs://").partition("/")
        if not _BUCKET.fullmatch(bucket):
            remedy = "a bucket's name is lower-case letters, digits, dots, dashes and underscores"
            raise RegistryPlaceError(text, f"{remedy}, as in gs://acme-tenants/production")
        if not _PREFIX.fullmatch(prefix) or {".", ".."} & set(prefix.split("/")):
            remedy = "its prefix is letters, digits, dots, dashes and underscores between slashes"
            raise RegistryPlaceError(text, f"{remedy}, as in gs://acme-tenants/production")
        return cls("gs", bucket, prefix.removesuffix("/"))

    def __str__(self) -> str:
        if self.kind == "dir":
            return f"dir:{self.target}"
        return f"gs://{self.target}/{self.prefix}".removesuffix("/")

"""What a sync has to do: a pure comparison of what is wanted with what there is upstream."""

from collections.abc import Iterable, Mapping

import attrs

from tenants.knowledge.choosing import Wanted
from tenants.knowledge.names import is_of, marks, marks_of


@attrs.frozen
class Present:
    """A file of the vector store.

    Args:
        path: within the tenant's directory; empty where no sync has put it there.
        status: ``in_progress``, ``completed``, ``failed`` or ``cancelled``.
        error: why it failed.
    """

    file_id: str
    path: str
    sha256: str
    status: str
    error: str = ""


@attrs.frozen
class Entry:
    """A file that is to be put into the vector store.

    Args:
        path: within the tenant's directory.
    """

    file_id: str
    path: str
    sha256: str


@attrs.frozen
class Upload:
    """A file that lies upstream, in whichever store or none."""

    file_id: str
    filename: str


@attrs.frozen
class Plan:
    """What is to be done, each in the order of the paths.

    Args:
        keep: what is there, by path, and stays, indexed or still being so.
        retry: what is there and was not indexed: to be tried again.
        adopt: what is wanted and was uploaded already by a sync that was cut off.
        upload: what is wanted and not there.
        remove: what is there and wanted no more, once the new revision is in force.
        leftovers: uploads of earlier syncs that are in no use.
        spare_stores: the ids of vector stores of earlier syncs that are in no use.
        foreign: files of the store that no sync put there; they are left alone.
    """

    keep: Mapping[str, Present] = attrs.field(factory=dict)
    retry: tuple[Present, ...] = ()
    adopt: tuple[tuple[Wanted, Upload], ...] = ()
    upload: tuple[Wanted, ...] = ()
    remove: tuple[Present, ...] = ()
    leftovers: tuple[Upload, ...] = ()
    spare_stores: tuple[str, ...] = ()
    foreign: tuple[Present, ...] = ()

    @property
    def sends(self) -> bool:
        """Whether anything is made upstream."""
        return bool(self.retry or self.adopt or self.upload)

    @property
    def deletes(self) -> bool:
        """Whether anything is deleted upstream."""
        return bool(self.remove or self.leftovers or self.spare_stores)


def plan(
    wanted: Iterable[Wanted], present: Iterable[Present], uploads: Iterable[Upload], token: str
) -> Plan:
    """Compare what is wanted with what there is.

    Args:
        wanted: the tenant's knowledge.
        present: the files of its vector store.
        uploads: files upstream that a sync that was cut off may have left.
        token: the mark of the tenant's syncs.
    """
    ours = [one for one in present if one.path]
    best = {(one.path, one.sha256): one for one in sorted(ours, key=_worth)}
    wanted = list(wanted)
    kept = {each.path: best[key] for each in wanted if (key := (each.path, each.sha256)) in best}
    missing = [each for each in wanted if each.path not in kept]
    used = {one.file_id for one in present}
    unused = {
        marks_of(each.filename): each
        for each in uploads
        if each.file_id not in used and is_of(each.filename, token)
    }
    found = {each.path: unused.pop(_marks(each, token), None) for each in missing}
    adopted = [(each, upload) for each in missing if (upload := found[each.path]) is not None]
    staying = {one.file_id for one in kept.values()} | {each.file_id for _, each in adopted}
    return Plan(
        keep={path: one for path, one in kept.items() if _is_good(one)},
        retry=tuple(one for one in kept.values() if not _is_good(one)),
        adopt=tuple(adopted),
        upload=tuple(each for each in missing if found[each.path] is None),
        remove=tuple(one for one in ours if one.file_id not in staying),
        leftovers=tuple(
            each
            for each in uploads
            if is_of(each.filename, token) and each.file_id not in used | staying
        ),
        foreign=tuple(one for one in present if not one.path),
    )


def _marks(each: Wanted, token: str) -> str:
    return marks(each.path, token, each.sha256)


def _is_good(one: Present) -> bool:
    return one.status in ("in_progress", "completed")


def _worth(one: Present) -> int:
    """Of several copies the best one stays: two syncs at once may have made them."""
    return ("failed", "cancelled", "in_progress", "completed").index(one.status)

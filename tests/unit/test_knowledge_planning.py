"""What a sync has to do, for any state in which an earlier one may have left the upstream."""

from hypothesis import given
from hypothesis import strategies as st

from tenants.knowledge.choosing import Wanted
from tenants.knowledge.names import upload_name
from tenants.knowledge.planning import Present, Upload, plan

TOKEN = "0123456789abcdef"
_PATHS = st.sampled_from(["knowledge/a.md", "knowledge/b.md", "knowledge/c.md"])
_DIGESTS = st.sampled_from(["1" * 64, "2" * 64])
_IDS = st.sampled_from([f"file-{n}" for n in range(6)])
_STATUSES = st.sampled_from(["in_progress", "completed", "failed", "cancelled"])
_WANTED = st.dictionaries(_PATHS, _DIGESTS).map(
    lambda found: [Wanted(path, sha256, b"") for path, sha256 in found.items()]
)
_PRESENT = st.lists(
    st.builds(Present, _IDS, _PATHS | st.just(""), _DIGESTS, _STATUSES),
    unique_by=lambda one: one.file_id,
)
_UPLOADS = st.lists(
    st.builds(
        Upload,
        _IDS,
        st.builds(upload_name, _PATHS, st.sampled_from([TOKEN, TOKEN[::-1]]), _DIGESTS)
        | st.just("a.md"),
    ),
    unique_by=lambda upload: upload.file_id,
)


@given(_WANTED, _PRESENT, _UPLOADS)
def test_every_wanted_file_ends_in_the_store_once(wanted, present, uploads):
    """Each is kept, tried again, taken up or uploaded, exactly one of these."""
    made = plan(wanted, present, uploads, TOKEN)

    done = [*made.keep, *(one.path for one in made.retry)]
    done += [each.path for each, _ in made.adopt] + [each.path for each in made.upload]
    assert sorted(done) == sorted(each.path for each in wanted)
    assert all(made.keep[path].status in ("in_progress", "completed") for path in made.keep)


@given(_WANTED, _PRESENT, _UPLOADS)
def test_only_our_own_and_unwanted_files_are_deleted(wanted, present, uploads):
    """What stays, and what is of others, is never deleted; of ours nothing is left over."""
    made = plan(wanted, present, uploads, TOKEN)

    gone = {one.file_id for one in (*made.remove, *made.leftovers)}
    staying = {one.file_id for one in (*made.keep.values(), *made.retry)}
    staying |= {upload.file_id for _, upload in made.adopt}
    others = {one.file_id for one in present if not one.path}
    others |= {each.file_id for each in uploads if TOKEN not in each.filename} - {
        one.file_id for one in present if one.path
    }
    assert not gone & (staying | others)
    ours = {one.file_id for one in present if one.path}
    ours |= {each.file_id for each in uploads if TOKEN in each.filename} - others
    assert ours == gone | staying


def test_an_upload_is_known_however_upstream_writes_its_name():
    """The marks alone tell it: the rest of a name may come back in another form of Unicode."""
    wanted = Wanted("knowledge/caf\u00e9.md", "1" * 64, b"")
    name = upload_name(wanted.path, TOKEN, wanted.sha256).replace("\u00e9", "e\u0301")

    made = plan([wanted], [], [Upload("file-1", name)], TOKEN)

    assert made.adopt == ((wanted, Upload("file-1", name)),)
    assert not made.upload


@given(_WANTED, _PRESENT)
def test_a_file_that_is_there_and_good_is_not_uploaded(wanted, present):
    """Whatever else there is, a completed copy of path and content is kept."""
    made = plan(wanted, present, (), TOKEN)

    good = {(one.path, one.sha256) for one in present if one.status == "completed"}
    assert not {(each.path, each.sha256) for each in made.upload} & good
    for each in wanted:
        if (each.path, each.sha256) in good:
            assert made.keep[each.path].status == "completed"

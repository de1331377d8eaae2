"""What ``tenantctl knowledge sync`` shows: what is to be done, how far it is, what became of it."""

import sys
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from tenants.cli.output import Line, Output
from tenants.knowledge.planning import Plan
from tenants.knowledge.progress import LeftStore
from tenants.knowledge.state import KnowledgeState
from tenants.releases.publishing import Published


class Bars:
    """Progress bars on a terminal; nothing elsewhere. A context manager."""

    def __init__(self, output: Output) -> None:
        shown = not output.as_json and sys.stdout.isatty()
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        self._progress = Progress(*columns, console=Console(), transient=True, disable=not shown)
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def told(self, what: str, done: int, total: int) -> None:
        """So much of something is done."""
        if not self._tasks:
            self._progress.start()  # Not before: a question may be asked until then.
        if what not in self._tasks:
            self._tasks[what] = self._progress.add_task(what)
        self._progress.update(self._tasks[what], completed=done, total=total)


def shown(plan: Plan, store_name: str, *, makes_store: bool) -> Iterator[Line]:
    """What is to be done, a line each."""
    if makes_store:
        yield f"make the vector store {store_name}", "green"
    yield from ((f"upload {each.path}", "green") for each in plan.upload)
    yield from ((f"take up {each.path}: it is uploaded already", "green") for each, _ in plan.adopt)
    yield from ((f"index {each.path} again: {each.error}", "yellow") for each in plan.retry)
    yield from ((f"delete {each.path} ({each.file_id})", "red") for each in plan.remove)
    for left in plan.leftovers:
        yield f"delete {left.filename} ({left.file_id}), left by a sync that was cut off", "red"
    for store_id in plan.spare_stores:
        yield f"delete the vector store {store_id}, left by a sync that was cut off", "red"
    for foreign in plan.foreign:
        yield f"leave {foreign.file_id}, which no sync put there", "yellow"
    if plan.keep:
        yield f"keep {len(plan.keep)} as they are"


def planned(plan: Plan) -> dict[str, Any]:
    """The same for programs."""
    return {
        "uploaded": [each.path for each in plan.upload],
        "resumed": [each.path for each, _ in plan.adopt],
        "retried": [each.path for each in plan.retry],
        "deleted": [each.path for each in plan.remove],
        "leftovers": [each.file_id for each in plan.leftovers],
        "leftover_stores": list(plan.spare_stores),
        "foreign": [each.file_id for each in plan.foreign],
        "kept": sorted(plan.keep),
    }


def left_behind(stores: Iterable[LeftStore]) -> Iterator[str]:
    """Which vector stores are at accounts that the tenant has left, a line each."""
    for store in stores:
        account = store.account
        where = account.base_url or "the operator's upstream"
        key = f"the key of the secret {account.secret}" if account.secret else "the operator's key"
        yield f"The vector store {store.vector_store_id} stays at {where}, under {key}: delete it."


def outcome(
    state: KnowledgeState, published: Published | None, left: Iterable[LeftStore]
) -> dict[str, Any]:
    """What became of it, for programs."""
    return {
        "vector_store_id": state.vector_store_id,
        "files": [
            {"path": file.path, "sha256": file.sha256, "file_id": file.file_id}
            for file in state.files
        ],
        "left_stores": [
            {
                "vector_store_id": store.vector_store_id,
                "base_url": store.account.base_url,
                "secret": store.account.secret,
            }
            for store in left
        ],
        "revision": published.held.pointer.revision if published else None,
        "changed": published is not None and published.changed,
    }

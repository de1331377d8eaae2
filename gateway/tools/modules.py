"""Tenants' tool modules in this process: imported at the first call, the last used ones kept."""

import asyncio
from collections import OrderedDict
from weakref import WeakValueDictionary

from gateway.tools.errors import ModuleFaultyError, ModuleMissingError
from gateway.tools.jobs import Job
from tenants.modules import ToolModule, load_module
from tenants.threads import Threads

Key = tuple[str, str]


class Modules:
    """Tool modules by tenant and revision.

    Args:
        threads: where modules are imported.
        capacity: modules to keep.
    """

    def __init__(self, threads: Threads, capacity: int) -> None:
        self._threads = threads
        self._capacity = capacity
        self._modules: OrderedDict[Key, ToolModule] = OrderedDict()
        self._turns: WeakValueDictionary[Key, asyncio.Lock] = WeakValueDictionary()

    async def of(self, job: Job) -> ToolModule:
        """The module of the job's revision; jobs at the same time share one import.

        Raises:
            ModuleFaultyError: it cannot be imported.
            ModuleMissingError: it is not kept, and the job has no source.
            ThreadsExhaustedError: there is no thread to import it on.
            WorkRaisedError: a fault of ours.
        """
        key = (job.tenant_id, job.revision)
        turn = self._turns.setdefault(key, asyncio.Lock())
        async with turn:
            module = self._modules.get(key)
            if module is None:
                module = await self._import(job)
                self._keep(key, module)
        self._modules.move_to_end(key)
        return module

    async def _import(self, job: Job) -> ToolModule:
        source = job.source
        if source is None:
            raise ModuleMissingError
        module = await self._threads.run(
            lambda: load_module(source.python, source.file, source.offered)
        )
        if module.faults:
            module.close()
            raise ModuleFaultyError(module.faults)
        return module

    def _keep(self, key: Key, module: ToolModule) -> None:
        """Keep it, and let go of the tenant's older revisions and of what was not used for long."""
        outdated = [each for each in self._modules if each[0] == key[0]]
        self._modules[key] = module
        surplus = list(self._modules)[: max(0, len(self._modules) - self._capacity)]
        for old in {*outdated, *surplus}:
            self._modules.pop(old).close()

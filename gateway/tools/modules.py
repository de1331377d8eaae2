"""Tenants' tool modules in this process: imported at the first call, the last used ones kept."""

import asyncio
from collections import OrderedDict
from weakref import WeakValueDictionary

import attrs

from tenants.compiled import CompiledTenant
from tenants.errors import Fault
from tenants.modules import ToolModule, load_module
from tenants.threads import Threads

Key = tuple[str, str]


@attrs.frozen
class ModuleFaultyError(Exception):
    """A module that could be imported when its tenant was compiled cannot be any longer."""

    faults: tuple[Fault, ...]


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

    async def of(self, tenant: CompiledTenant) -> ToolModule:
        """The module of this revision; calls at the same time share one import.

        Raises:
            ModuleFaultyError: it cannot be imported.
            ThreadsExhaustedError: there is no thread to import it on.
            WorkRaisedError: a fault of ours.
        """
        key = (tenant.tenant_id, tenant.revision)
        turn = self._turns.setdefault(key, asyncio.Lock())
        async with turn:
            module = self._modules.get(key)
            if module is None:
                module = await self._import(tenant)
                self._keep(key, module)
        self._modules.move_to_end(key)
        return module

    async def _import(self, tenant: CompiledTenant) -> ToolModule:
        source = tenant.tool_module
        offered = tenant.default.functions
        if source is None:
            return ToolModule("", {})
        module = await self._threads.run(lambda: load_module(source.source, source.file, offered))
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

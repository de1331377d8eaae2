"""How often a fault was played: ``times=2`` plays it for the first two requests alike."""

from collections import OrderedDict

import attrs

from gateway.simulator.directives import Script, healed

_MOST_REMEMBERED = 1024


@attrs.define
class Faults:
    """Counts requests with a ``times`` setting; the oldest are forgotten."""

    _seen: OrderedDict[tuple[str, str, Script], int] = attrs.Factory(OrderedDict)

    def due(self, script: Script, cache_key: str, text: str) -> Script:
        """The script for this request.

        Args:
            script: what its directives say.
            cache_key: its ``prompt_cache_key``, so that tenants count apart.
            text: its newest user message.
        """
        if script.times is None:
            return script
        key = (cache_key, text, script)
        count = self._seen.pop(key, 0)
        self._seen[key] = count + 1
        if len(self._seen) > _MOST_REMEMBERED:
            self._seen.popitem(last=False)
        return script if count < script.times else healed(script)

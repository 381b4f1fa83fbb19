"""The way into the lab for commands that must not be changed: Python runs this as it starts, where this
folder is on PYTHONPATH. As soon as the product loads its way out, it is the lab's."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

WAY_OUT = "exchanges.venues.wire"


class Entrance(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != WAY_OUT:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        assert spec is not None
        assert spec.loader is not None
        load = spec.loader.exec_module

        def load_and_enter(module: ModuleType) -> None:
            load(module)
            from tests.lab.manage import enter_lab

            enter_lab()

        spec.loader.exec_module = load_and_enter  # type: ignore[method-assign]
        return spec


sys.meta_path.insert(0, Entrance())

"""The product's command line, with its way out replaced by the lab's; nothing else is changed.

LAB_PORT: of the TLS server on loopback; LAB_CA: the path of the lab authority's certificate; LAB_HOST, where
it is set: the name of the machine that this process believes to be on.
"""

from __future__ import annotations

import os
import socket
import sys
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def main() -> None:
    # This file's own folder must not be on the path: it holds names like `server` and `wire`.
    sys.path[0] = str(ROOT)
    sys.path.insert(0, str(ROOT / "platform"))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    enter_lab()
    from config.command_line import run

    run(sys.argv)


def enter_lab() -> None:
    from exchanges.venues import wire
    from tests.lab.resolver import lab_connector

    if "LAB_HOST" in os.environ:
        socket.gethostname = lambda: os.environ["LAB_HOST"]
    wire.build_connector = partial(lab_connector, int(os.environ["LAB_PORT"]), Path(os.environ["LAB_CA"]))


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Django's command line, with `platform/` on the import path."""

import os
import signal
import sys
from pathlib import Path

# What these begin they also end when they are told to; until then there is nothing to end.
STOPPED_BY_SIGNALS = {"quickstart", "worker"}

# A folder on the path, never a package: a package of that name would hide the
# standard library's `platform` and break uuid, ccxt and many others.
sys.path.insert(0, str(Path(__file__).resolve().parent / "platform"))


def leave_at_once(*_: object) -> None:
    """An exception could get lost where Python ignores it, as in a destructor that runs during an import."""
    os._exit(130)


def main() -> None:
    if sys.argv[1:2] and sys.argv[1] in STOPPED_BY_SIGNALS:
        signal.signal(signal.SIGINT, leave_at_once)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        from config.command_line import run
    except KeyboardInterrupt:
        sys.exit(130)
    run(sys.argv)


if __name__ == "__main__":
    main()

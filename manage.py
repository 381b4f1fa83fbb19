#!/usr/bin/env python3
"""Django's command line, with `platform/` on the import path."""

import os
import signal
import sys

# What these begin they also end when they are told to; until then there is nothing to end.
STOPPED_BY_SIGNALS = {"quickstart", "worker"}


def leave_at_once(*_: object) -> None:
    """An exception could get lost where Python ignores it, as in a destructor that runs during an import."""
    os._exit(130)


if __name__ == "__main__" and sys.argv[1:2] and sys.argv[1] in STOPPED_BY_SIGNALS:
    signal.signal(signal.SIGINT, leave_at_once)  # before anything else is imported

from pathlib import Path  # noqa: E402

# A folder on the path, never a package: a package of that name would hide the
# standard library's `platform` and break uuid, ccxt and many others.
sys.path.insert(0, str(Path(__file__).resolve().parent / "platform"))


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        from config.command_line import run
    except KeyboardInterrupt:
        sys.exit(130)
    run(sys.argv)


if __name__ == "__main__":
    main()

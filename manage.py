#!/usr/bin/env python3
"""Django's command line, with `platform/` on the import path."""

import os
import sys
from pathlib import Path

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

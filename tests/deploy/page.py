"""docs/deploy.md: the commands that it tells a person to type."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
DEPLOY = (ROOT / "docs" / "deploy.md").read_text()


def commands(name: str) -> str:
    """Of the block that is marked ```sh <name>."""
    found = re.search(rf"^ *```sh {name}\n(.*?)^ *```$", DEPLOY, re.DOTALL | re.MULTILINE)
    assert found, f"docs/deploy.md has no block “sh {name}”"
    return "\n".join(line.strip() for line in found[1].splitlines())

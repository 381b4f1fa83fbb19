"""`platform/` is a folder on the import path and never a package: it would hide Python's own module."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "platform"
ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "SECRET_KEY": "layout-" + "0123456789" * 5,
    "FIELD_ENCRYPTION_KEYS": "dGVzdHMtdGVzdHMtdGVzdHMtdGVzdHMtdGVzdHMtISE=",
    "BOTDESK_ENV_FILE": os.devnull,
}
OURS = sorted(path.name for path in FOLDER.iterdir() if (path / "__init__.py").exists())
LOOK = "import platform, uuid; assert platform.system(), platform; print('the file is', platform.__file__)"


def run(code: str, folder: Path) -> str:
    """What Python says that was started in the project's folder."""
    database = f"sqlite:///{folder}/layout.sqlite3"
    ended = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=ENVIRONMENT | {"DATABASE_URL": database},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_platform_is_not_a_package() -> None:
    assert not (FOLDER / "__init__.py").exists()


def test_pytest_sees_pythons_own_platform() -> None:
    assert platform.__file__ == str(Path(os.__file__).parent / "platform.py")


PATH = "import sys; sys.path.insert(0, 'platform')\n"
SETUP = "import django, os; os.environ['DJANGO_SETTINGS_MODULE'] = 'config.settings'; django.setup()\n"
ENTRIES = {
    "manage.py": "import sys, runpy\n"
    f"sys.argv = ['manage.py', 'shell', '-c', {LOOK!r}]\n"
    "runpy.run_path('manage.py', run_name='__main__')",
    "the web process": PATH + "import gunicorn.app.wsgiapp, config.wsgi\n" + LOOK,
    "a worker process": PATH + SETUP + "import django_q.cluster, ccxt\n" + LOOK,
}


@pytest.mark.parametrize("code", ENTRIES.values(), ids=ENTRIES)
def test_every_entry_point_sees_pythons_own_platform(code: str, tmp_path: Path) -> None:
    assert str(Path(os.__file__).parent / "platform.py") in run(code, tmp_path)


def test_the_web_process_does_not_pay_for_ccxt_nor_apprise(tmp_path: Path) -> None:
    code = (
        "import sys; sys.path.insert(0, 'platform'); import config.wsgi; from django.urls import reverse; "
        "reverse('admin:index'); print(sorted({'ccxt', 'aiohttp', 'apprise'} & set(sys.modules)))"
    )
    assert run(code, tmp_path).strip() == "[]"


def test_no_folder_hides_a_name_of_the_standard_library() -> None:
    assert "config" in OURS
    names = {*OURS, *(path.name for path in ROOT.iterdir() if (path / "__init__.py").exists())}
    assert names & set(sys.stdlib_module_names) == set()


def test_no_folder_hides_an_installed_name() -> None:
    installed = set(importlib.metadata.packages_distributions())
    assert {*OURS, "bots", "exchanges"} & installed == set()


def test_no_absolute_path_of_a_developers_machine_stands_in_the_project() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout
    files = [ROOT / name for name in listed.split("\0") if name] or sorted(FOLDER.rglob("*.py"))
    foreign = (b"/work" + b"/main", b"/work" + b"/shared", b"/home" + b"/", b"/Users" + b"/")
    found = [
        str(file.relative_to(ROOT))
        for file in files
        if file.is_file() and any(path in file.read_bytes() for path in foreign)
    ]
    assert found == []

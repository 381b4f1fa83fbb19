"""The files of each platform start the same lines, and leave the time that a worker needs to end."""

from __future__ import annotations

import configparser
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from bots.engine.cluster import STOP_SECONDS
from config import gunicorn
from tests.deploy.page import DEPLOY, ROOT
from tests.e2e.heroku import procfile

WEB, WORKER, RELEASE = (procfile()[name] for name in ("web", "worker", "release"))
DOCKERFILE = (ROOT / "Dockerfile").read_text()
KEYS = {
    "SECRET_KEY": "image-0123456789-abcdefghijklmnopqrstuvwxyz-0123456789-abc",
    "FIELD_ENCRYPTION_KEYS": "dGVzdHMtdGVzdHMtdGVzdHMtdGVzdHMtdGVzdHMtISE=",
}


def compose() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]  # type: ignore[no-any-return]


def railway(file: str) -> dict[str, Any]:
    return json.loads((ROOT / file).read_text())["deploy"]  # type: ignore[no-any-return]


def supervised() -> configparser.RawConfigParser:
    read = configparser.RawConfigParser(inline_comment_prefixes=(";",))
    read.read(ROOT / "deploy" / "supervisord.conf")
    return read


def seconds(text: str) -> float:
    return float(text.removesuffix("s"))


def test_docker_runs_the_lines_of_the_procfile() -> None:
    services = compose()
    assert services["release"]["command"] == RELEASE
    assert services["worker"]["command"] == WORKER
    assert services["web"]["command"] == ["sh", "-c", f"exec {WEB}".replace("$PORT", "$$PORT")]
    assert f'CMD ["sh", "-c", "exec {WEB}"]' in DOCKERFILE


def test_railway_runs_the_lines_of_the_procfile() -> None:
    assert railway("railway.json")["startCommand"] == f"sh -c 'exec {WEB}'"
    assert railway("railway.json")["preDeployCommand"] == [RELEASE]
    assert railway("deploy/railway.worker.json")["startCommand"] == WORKER


def test_supervisor_runs_the_lines_of_the_procfile() -> None:
    web = WEB.replace("gunicorn", "%(here)s/../.venv/bin/gunicorn", 1).replace(
        "0.0.0.0:$PORT", "127.0.0.1:%(ENV_PORT)s"
    )
    assert supervised()["program:web"]["command"] == web
    assert supervised()["program:worker"]["command"] == f"%(here)s/../.venv/bin/{WORKER}"


def test_every_platform_waits_for_what_ends() -> None:
    """Heroku's 30 s are the shortest; gunicorn ends a request before its own time is over."""
    assert STOP_SECONDS < 30
    services, supervisor = compose(), supervised()
    for_workers = [
        seconds(services["worker"]["stop_grace_period"]),
        railway("deploy/railway.worker.json")["drainingSeconds"],
        float(supervisor["program:worker"]["stopwaitsecs"]),
    ]
    for_web = [
        seconds(services["web"]["stop_grace_period"]),
        railway("railway.json")["drainingSeconds"],
        float(supervisor["program:web"]["stopwaitsecs"]),
    ]
    assert min(for_workers) > STOP_SECONDS
    assert min(for_web) > gunicorn.graceful_timeout


def test_one_worker_ends_before_the_next_begins_on_railway() -> None:
    assert railway("deploy/railway.worker.json")["overlapSeconds"] == 0


def test_the_same_python_is_named_everywhere() -> None:
    version = (ROOT / ".python-version").read_text().strip()
    assert f"ARG PYTHON_VERSION={version}\n" in DOCKERFILE
    assert f'requires-python = ">={version}"' in (ROOT / "pyproject.toml").read_text()
    assert f"--python-version {version} " in (ROOT / "CONTRIBUTING.md").read_text()


def test_the_page_names_files_that_exist() -> None:
    named = re.findall(r"\]\((?:\.\./)?([\w./-]+)(?:#[\w-]+)?\)", DEPLOY)
    assert "Procfile" in named
    missing = [name for name in named if not ((ROOT / name).exists() or (ROOT / "docs" / name).exists())]
    assert missing == []


def copied() -> list[str]:
    """What the Dockerfile copies from this folder into the image."""
    lines = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    return [name for line in lines for name in line.split() if name != "requirements.txt"]


def test_nothing_is_copied_that_the_context_leaves_out() -> None:
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert set(copied()) <= let_in
    assert ".env" not in let_in


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the image has of ours."""
    folder = tmp_path_factory.mktemp("image")
    for name in copied():
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)
    return folder


def in_image(image: Path, line: str, **variables: str) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return subprocess.run(
        ["sh", "-e", "-c", line],
        cwd=image,
        env={"PATH": path, **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_image_collects_its_static_files_as_the_dockerfile_says(image: Path) -> None:
    (block,) = re.findall(r"^RUN (SECRET_KEY=.*?[^\\])$", DOCKERFILE, re.DOTALL | re.MULTILINE)
    done = in_image(image, block)
    assert done.returncode == 0, done.stderr
    assert (image / "staticfiles" / "admin").is_dir()


def test_the_image_has_all_that_the_release_needs(image: Path) -> None:
    done = in_image(image, RELEASE, DATABASE_URL=f"sqlite:///{image}/desk.sqlite3", **KEYS)
    assert done.returncode == 0, done.stderr
    assert "bots.0001_initial... OK" in done.stdout

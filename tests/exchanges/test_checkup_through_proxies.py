"""Tests of connections through each kind of proxy: the way, the venue's certificate and the venue apart."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User

from exchanges import services
from exchanges.checkup.report import Part, Step
from exchanges.venues import wire as wire_module
from tests.lab.background import BackgroundLab, background_lab
from tests.lab.connect_proxy import KINDS
from vault.secret import Secret

KEY, SECRET = "CheckupCanaryKey" * 4, "CheckupCanarySec" * 4
USERNAME, PASSWORD = "desk", "canary-p@ss:w/rd%#1"
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(params=KINDS)
def lab(request: pytest.FixtureRequest) -> Iterator[BackgroundLab]:
    with background_lab(username=USERNAME, password=PASSWORD, kind=request.param) as background:
        background.call(lambda: background.lab.open_account("desk", key=KEY, secret=SECRET))
        yield background


def steps_of_a_test(lab: BackgroundLab) -> dict[str, Step]:
    boss = User.objects.create_superuser("boss")
    connection = services.create_connection(
        actor=boss, owner=boss, name="Main", venue="binance", mode="live", proxy_url=lab.proxy.url,
        proxy_username=USERNAME, proxy_ca=lab.proxy.ca,
        secrets={
            "api_key": Secret(KEY), "api_secret": Secret(SECRET), "proxy_password": Secret(PASSWORD),
        },
    )  # fmt: skip
    report = services.test_connection(connection=connection, actor=boss)
    return {step.name: step for step in report.steps}


def test_a_connection_that_works_passes_each_step_in_one_tunnel(
    lab: BackgroundLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire_module, "build_connector", lab.lab.connector)

    steps = steps_of_a_test(lab)

    assert [name for name, step in steps.items() if step.failed] == []
    assert "certificate of api.binance.com" in steps[Part.TLS].sentence
    assert lab.proxy.targets == ["api.binance.com:443"]


def test_a_venue_whose_certificate_nobody_trusts_fails_at_its_own_tls_and_not_at_the_proxys(
    lab: BackgroundLab,
) -> None:
    steps = steps_of_a_test(lab)  # with the authorities of everybody, which the lab's is not

    assert [name for name, step in steps.items() if step.failed] == [Part.TLS]
    assert "certificate" in steps[Part.TLS].sentence
    assert len(lab.lab.requests.select()) == 0

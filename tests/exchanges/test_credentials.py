"""Credentials as people paste them: mended where that is safe, else refused in one sentence."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError

from exchanges import services
from exchanges.models import ExchangeConnection
from exchanges.venues.credentials import credential_mistakes, restored_pem, tidied
from exchanges.venues.facts import CredentialField, Venue
from vault.secret import Secret

BODY = "MHcCAQEEI" + "canary4711" * 11
PEM = "\n".join(["-----BEGIN EC PRIVATE KEY-----", BODY[:64], BODY[64:], "-----END EC PRIVATE KEY-----", ""])
OKX_KEY, OKX_SECRET = "0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f", "0A1B2C3D" * 4


def asked(name: str, label: str, pattern: str) -> CredentialField:
    return CredentialField(name=name, label=label, hint="It is there.", pattern=pattern)


SEA = Venue(
    id="sea",
    title="Sea",
    credential_fields=(asked("api_key", "key", "sea-.+"), asked("api_secret", "secret", "[0-9]+")),
)
SKY = Venue(id="sky", title="Sky", credential_fields=(asked("api_key", "key", "sky-.+"),))
FOG = Venue(
    id="fog", title="Fog", credential_fields=(asked("api_key", "key", ""), asked("passphrase", "memo", ""))
)


def mistakes(venue: Venue, **entered: str) -> dict[str, str]:
    secrets = {name: Secret(text) for name, text in entered.items()}
    return credential_mistakes(venue, secrets, (SEA, SKY, FOG))


@pytest.mark.parametrize(
    "around", [" {} ", "{}\r\n", "\t{}\n", "\u00a0{}", "\ufeff{}", '"{}"', "'{}'", "\u200b{} "]
)
def test_what_copying_leaves_around_a_key_is_taken_away(around: str) -> None:
    assert tidied(around.format("sea-4711")) == "sea-4711"


def test_a_passphrase_keeps_its_quotes() -> None:
    assert tidied(' "my words" \n', name="passphrase") == '"my words"'


def test_a_single_quote_belongs_to_the_secret() -> None:
    assert (tidied("abc'"), tidied("")) == ("abc'", "")


@pytest.mark.parametrize(
    "pasted",
    [
        PEM,
        PEM.replace("\n", "\\n"),
        PEM.replace("\n", "\r\n"),
        PEM.replace("\n", "\\r\\n"),
        PEM.replace("\n", ""),
        PEM.replace("\n", " "),
        f'"{PEM}"'.replace("\n", "\\n"),
        f"\n  {PEM}  \n",
    ],
    ids=["whole", "literal n", "windows", "literal r n", "lost", "spaces", "from JSON", "indented"],
)
def test_a_private_key_gets_its_lines_back(pasted: str) -> None:
    assert tidied(pasted) == PEM


def test_what_is_no_private_key_is_left_alone() -> None:
    assert restored_pem("an-ordinary-secret") == "an-ordinary-secret"
    assert restored_pem("-----BEGIN EC PRIVATE KEY-----cut off") == "-----BEGIN EC PRIVATE KEY-----cut off"


@pytest.mark.parametrize("text", ["sea-47 11", "sea-47\n11", "sea-47\u200b11", "sea-47\u201311"])
def test_a_key_in_parts_is_refused(text: str) -> None:
    assert "copy it again in one piece" in mistakes(SEA, api_key=text)["api_key"]


def test_a_passphrase_may_have_spaces_and_no_line_ends() -> None:
    assert mistakes(FOG, passphrase="two words & an ä") == {}
    assert "in one piece" in mistakes(FOG, passphrase="two\nlines")["passphrase"]


def test_a_swapped_key_and_secret_are_recognised_by_their_form() -> None:
    found = mistakes(SEA, api_key="4711", api_secret="sea-4711")
    assert found["api_key"].startswith("This looks like the secret, not like the key: the two are swapped")
    assert found["api_secret"].startswith("This looks like the key, not like the secret")


def test_a_secret_in_the_place_of_the_key_is_recognised_without_the_other() -> None:
    assert mistakes(SEA, api_key="4711")["api_key"].endswith("not like the key: enter that here.")


def test_a_form_that_fits_two_places_is_the_other_venues_where_nothing_is_swapped() -> None:
    river = Venue(id="river", title="River", credential_fields=(asked("api_key", "key", "[0-9]{4}"),))
    found = credential_mistakes(SEA, {"api_key": Secret("4711"), "api_secret": Secret("r-1")}, (SEA, river))
    assert found["api_key"].startswith("This looks like a key of River")


def test_a_key_of_another_venue_is_recognised_by_its_form() -> None:
    assert mistakes(SEA, api_key="sky-1")["api_key"].startswith("This looks like a key of Sky, not of Sea")


def test_a_form_that_nobody_has_is_the_venues_to_judge() -> None:
    assert mistakes(SEA, api_key="new-format-4711", api_secret="ABC") == {}
    assert mistakes(FOG, api_key="sky-1") == {}


# --- Through the service


@pytest.fixture
def olga(db: None) -> User:
    return User.objects.create_user("olga")


def create(olga: User, venue: str, **entered: str) -> ExchangeConnection:
    secrets: Any = {name: Secret(text) for name, text in entered.items()}
    return services.create_connection(
        actor=olga, owner=olga, name="Main", venue=venue, mode="live", secrets=secrets
    )


def refusal(olga: User, venue: str, **entered: str) -> dict[str, list[str]]:
    with pytest.raises(ValidationError) as caught:
        create(olga, venue, **entered)
    assert not ExchangeConnection.objects.exists()
    told = caught.value.message_dict
    assert not [text for text in entered.values() if text in repr(told)]
    return told


def test_a_swapped_key_and_secret_of_okx_are_refused(olga: User) -> None:
    told = refusal(olga, "okx", api_key=OKX_SECRET, api_secret=OKX_KEY, passphrase="my words")
    assert "swapped" in told["api_key"][0]


def test_a_key_of_okx_at_binance_is_refused(olga: User) -> None:
    told = refusal(olga, "binance", api_key=OKX_KEY, api_secret="CanarySecret4711" * 4)
    assert told["api_key"][0].startswith("This looks like a key of OKX")
    assert "not of Binance" in told["api_key"][0]


def test_a_missing_passphrase_is_asked_for_by_its_name(olga: User) -> None:
    told = refusal(olga, "okx", api_key=OKX_KEY, api_secret=OKX_SECRET)
    assert told == {"passphrase": [told["passphrase"][0]]}
    assert told["passphrase"][0].startswith("OKX asks for the Passphrase too.")


def test_credentials_are_tidied_whichever_door_they_come_through(olga: User) -> None:
    connection = create(olga, "OKX", api_key=f" {OKX_KEY}\n", api_secret=OKX_SECRET, passphrase="my words ")
    assert (connection.venue, connection.api_key.reveal()) == ("okx", OKX_KEY)
    assert connection.passphrase.reveal() == "my words"


def test_a_change_of_the_name_judges_no_stored_key(olga: User) -> None:
    connection = ExchangeConnection.objects.create(name="Old", venue="okx", mode="live", owner=olga)
    ExchangeConnection.objects.update(api_key=Secret(OKX_SECRET))
    services.update_connection(connection=connection, actor=olga, name="New")
    connection.refresh_from_db()
    assert connection.name == "New"

"""Where an event came from, and who says so."""

import logging
import os
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from changes.attribution.country import SignInCountries, country_of
from tests.changes.audit import geoip_file
from tests.changes.audit.records import ALICE, MALLORY, MINUTE, NOON
from tests.strategies import at_most

IP = "198.51.100.7"
NOWHERE = SignInCountries(())


@pytest.fixture
def geoip(tmp_path: Path) -> str:
    networks = {
        "198.51.100.0/24": {"country": {"iso_code": "NG"}},
        "2001:db8::/32": {"country": {"iso_code": "de"}},
    }
    return str(geoip_file.write(tmp_path / "country.mmdb", networks))


def test_the_actors_own_sign_in_from_the_same_address_tells_the_country(geoip: str) -> None:
    seen = SignInCountries([(ALICE.upper(), IP, NOON - 10 * MINUTE, "RO")])
    assert country_of(ALICE, IP, NOON, seen, geoip) == ("RO", "sign-in")


def test_the_nearest_sign_in_before_the_event_counts() -> None:
    seen = SignInCountries(
        [
            (ALICE, IP, NOON + MINUTE, "FR"),
            (ALICE, IP, NOON - MINUTE, "RO"),
            (ALICE, IP, NOON - 20 * MINUTE, "DE"),
        ]
    )
    assert country_of(ALICE, IP, NOON, seen, "") == ("RO", "sign-in")


@pytest.mark.parametrize(
    "sign_in",
    [
        (ALICE, IP, NOON - timedelta(hours=24, seconds=1), "RO"),
        (ALICE, IP, NOON + MINUTE, "RO"),
        (ALICE, "203.0.113.9", NOON - MINUTE, "RO"),
        (MALLORY, IP, NOON - MINUTE, "RO"),
        (ALICE, IP, NOON - MINUTE, ""),
    ],
)
def test_other_sign_ins_tell_nothing(sign_in: tuple[str, str, object, str]) -> None:
    assert country_of(ALICE, IP, NOON, SignInCountries([sign_in]), "") == ("", "")  # type: ignore[list-item]


def test_without_a_sign_in_the_geoip_file_tells_the_country(geoip: str) -> None:
    assert country_of(ALICE, IP, NOON, NOWHERE, geoip) == ("NG", "geoip")
    assert country_of("", "2001:db8::5", NOON, NOWHERE, geoip) == ("DE", "geoip")


def test_an_address_that_the_file_does_not_know_is_unknown(geoip: str) -> None:
    assert country_of(ALICE, "203.0.113.9", NOON, NOWHERE, geoip) == ("", "")


def test_without_an_address_nothing_is_known(geoip: str) -> None:
    assert country_of(ALICE, "", NOON, SignInCountries([(ALICE, "", NOON, "RO")]), geoip) == ("", "")


def test_an_ipv6_address_asked_of_an_ipv4_file_is_unknown(tmp_path: Path) -> None:
    file = geoip_file.write(
        tmp_path / "v4", {"198.51.100.0/24": {"country": {"iso_code": "NG"}}}, ip_version=4
    )
    assert country_of(ALICE, "2001:db8::5", NOON, NOWHERE, str(file)) == ("", "")
    assert country_of(ALICE, IP, NOON, NOWHERE, str(file)) == ("NG", "geoip")


@pytest.mark.parametrize(
    "record", [{"country": {}}, {"country": "NG"}, {"city": "x"}, "NG", {"country": {"iso_code": 7}}]
)
def test_a_file_without_country_codes_tells_nothing(tmp_path: Path, record: object) -> None:
    file = geoip_file.write(tmp_path / "odd.mmdb", {"198.51.100.0/24": record})
    assert country_of(ALICE, IP, NOON, NOWHERE, str(file)) == ("", "")


def test_a_missing_file_is_warned_about_once_and_stops_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    missing = str(tmp_path / "missing.mmdb")
    for _ in range(3):
        assert country_of(ALICE, IP, NOON, NOWHERE, missing) == ("", "")
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "LAVAWALL_GEOIP_DB" in caplog.text


def test_a_file_that_is_put_right_is_read_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "country.mmdb"
    file.write_bytes(b"no database")
    os.utime(file, ns=(1, 1))
    assert country_of(ALICE, IP, NOON, NOWHERE, str(file)) == ("", "")
    geoip_file.write(file, {"198.51.100.0/24": {"country": {"iso_code": "NG"}}})
    assert country_of(ALICE, IP, NOON, NOWHERE, str(file)) == ("NG", "geoip")


@at_most(60)
@given(st.data())
def test_a_damaged_file_never_stops_attribution(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    file = tmp_path_factory.mktemp("damaged") / "country.mmdb"
    networks = {"198.51.100.0/24": {"country": {"iso_code": "NG"}}}
    content = bytearray(geoip_file.write(file, networks).read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    file.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    country, source = country_of(ALICE, IP, NOON, NOWHERE, str(file))
    assert (country == "") == (source == "")

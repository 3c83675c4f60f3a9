"""What a person, a message or a log sees of the address of a PostgreSQL log: never its password."""

from __future__ import annotations

import pytest

from kairos.eventlog.postgres.address import address, secrets_of, shown

SECRET = "pa ss:w/rd%"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://ada:hunter2@db.example:5433/kairos?password=hunter2&options=-csearch_path%3Dx",
        "postgresql://db.example:5433/kairos?sslpassword=hunter2",
        "postgresql:///kairos?host=db.example&user=ada&password=hunter2",
    ],
)
def test_an_address_is_shown_without_its_password_and_options(url: str) -> None:
    assert "hunter2" not in shown(url) and "?" not in shown(url) and "ada" not in shown(url)
    assert shown(url).startswith("postgresql://db.example") and shown(url).endswith("/kairos")
    assert "hunter2" in secrets_of(url)


@pytest.mark.parametrize("url", ["postgresql://[::1/kairos", "postgresql://host:port/kairos"])
def test_what_is_no_address_shows_nothing_of_itself(url: str) -> None:
    assert shown(url) == "postgresql://…"


def test_of_what_is_no_address_everything_is_secret() -> None:
    assert secrets_of("postgresql://[::1/hunter2") == {"postgresql://[::1/hunter2"}
    assert secrets_of("postgresql://db.example/kairos") == set()


def test_a_password_is_known_in_each_form_it_may_be_printed_in() -> None:
    assert secrets_of("postgresql://ada:pa%20ss@h/d") == {"pa%20ss", "pa ss"}


def test_an_address_made_from_parts_means_those_parts() -> None:
    psycopg = pytest.importorskip("psycopg.conninfo")
    url = address("my db", "/tmp/pg sock", 5433, "ada", SECRET, 'odd "name')
    parts = psycopg.conninfo_to_dict(url)
    assert (parts["dbname"], parts["host"], parts["port"]) == ("my db", "/tmp/pg sock", "5433")
    assert (parts["user"], parts["password"]) == ("ada", SECRET)
    assert parts["options"] == '-csearch_path="odd\\ ""name"'
    assert SECRET in secrets_of(url) and SECRET not in shown(url)


def test_parts_that_are_not_given_are_left_out() -> None:
    assert address("d", "h", "", "", "", "s") == "postgresql:///d?host=h&options=-csearch_path%3D%22s%22"

"""The roster of a home: declared commands, and what installed packages bring."""

from __future__ import annotations

from typing import Any

import pytest

from kairos.daemon import rostering
from kairos.daemon.rostering import Rostering, declared
from kairos.domain.roster import OwnDeclared, RosterState
from kairos.home import Home


@pytest.fixture
def packages(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(rostering, "_installed", lambda: ("todo", "lint"))


def test_packages_and_commands_are_own_detectors_in_shadow(home: Home, packages: None) -> None:
    said = RosterState(own={"mine": OwnDeclared("mine", ["mine"])})
    roster = Rostering(home)(said)
    assert roster.own == ["todo", "lint", "mine"] and all(map(roster.is_in_shadow, roster.own))
    assert "hosted" in " ".join(declared(said)["todo"].command)


def test_a_declared_command_takes_the_place_of_a_package_s(home: Home, packages: None) -> None:
    said = RosterState(own={"todo": OwnDeclared("todo", ["mine"])})
    assert declared(said)["todo"].command == ["mine"]


def test_a_person_s_word_alone_switches_on_what_is_off(home: Home) -> None:
    assert Rostering(home)(RosterState()).states["dangling-link"] == "off"
    assert Rostering(home)(RosterState(said={"dangling-link": "on"})).states["dangling-link"] == "on"

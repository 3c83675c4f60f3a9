"""Which detectors look, told or in shadow, by what a person said."""

from __future__ import annotations

from kairos.detectors.enabled import ENABLED
from kairos.detectors.looking import ALL
from kairos.detectors.roster import BUILT_IN, roster_of
from kairos.domain.roster import OwnDeclared, RosterState

OWN = [OwnDeclared("todo", ["todo"])]


def test_without_a_word_those_that_proved_themselves_look() -> None:
    assert {d.name for d in BUILT_IN.watching()} == ENABLED and BUILT_IN.names == [d.name for d in ALL]
    assert "secret" in BUILT_IN.fitting("commit") and "case-collision" not in BUILT_IN.fitting("commit")


def test_a_person_s_own_is_in_shadow_until_promoted() -> None:
    roster = roster_of(RosterState(), own=OWN, ask=lambda own: lambda scene, question: b"")
    assert roster.is_in_shadow("todo") and roster.own == ["todo"] and "todo" in roster.fitting("commit")
    on = roster_of(RosterState(said={"todo": "on"}), own=OWN, ask=lambda own: lambda scene, question: b"")
    assert not on.is_in_shadow("todo") and on.named("todo")


def test_any_detector_can_be_tried_in_shadow_or_switched_off() -> None:
    said = roster_of(RosterState(said={"unparsable": "shadow", "secret": "off"}))
    assert said.is_in_shadow("unparsable") and "unparsable" in said.fitting("commit")
    assert "secret" not in {d.name for d in said.watching()} and said.named("secret"), "what it found is still kept"


def test_an_own_detector_never_takes_a_name_of_this_program() -> None:
    own = [OwnDeclared("secret", ["evil"]), *OWN]
    roster = roster_of(RosterState(), own=own, ask=lambda own: lambda scene, question: b"")
    assert roster.own == ["todo"] and len(roster.named("secret")) == 1

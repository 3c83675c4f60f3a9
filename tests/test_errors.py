"""Errors carry what happened, what to do next, and an exit code that scripts rely on."""

from __future__ import annotations

import inspect

import pytest

from kairos import errors
from kairos.errors import KairosError

CODES = {
    "KairosError": 1, "UsageError": 2, "NothingPending": 3, "NotFound": 4, "Stale": 5, "Conflict": 5, "Denied": 6,
    "BudgetExhausted": 7, "OutcomeUnknown": 8, "IntegrityError": 9, "NoDaemon": 10, "Locked": 11,
    "SandboxUnavailable": 1, "TryAgain": 75, "LeaseLost": 75,
}  # fmt: skip
CLASSES = {name: cls for name, cls in inspect.getmembers(errors, inspect.isclass) if issubclass(cls, KairosError)}


def test_every_exit_code_is_the_promised_one() -> None:
    assert {name: cls.code for name, cls in CLASSES.items()} == CODES


def test_every_error_has_a_name_of_its_own_for_scripts() -> None:
    names = [cls.name for cls in CLASSES.values()]
    assert len(set(names)) == len(names)
    assert all(name.replace("_", "").isalpha() and name.islower() for name in names)


@pytest.mark.parametrize("cls", CLASSES.values(), ids=CLASSES)
def test_an_error_keeps_its_message_and_its_hint(cls: type[KairosError]) -> None:
    error = cls("it broke", "mend it")
    assert (str(error), error.message, error.hint) == ("it broke", "it broke", "mend it")
    assert cls("it broke").hint == ""

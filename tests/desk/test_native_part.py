"""A native part that is older than the Python is noticed."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

from kairos.desk import native_part
from kairos.desk.desk import Desk
from kairos.desk.doctoring import native
from kairos.desk.native_part import declared, missing


def test_the_part_that_runs_here_has_everything() -> None:
    assert len(declared()) > 20
    assert missing() == []


def test_what_an_older_part_lacks_is_named(tmp_path: Path) -> None:
    file = tmp_path / "x.pyi"
    file.write_text(
        "def old() -> int: ...\ndef new() -> int: ...\n"
        "class A:\n    def there(self) -> int: ...\n    def gone(self) -> int: ...\n"
    )
    older = SimpleNamespace(old=len, A=SimpleNamespace(there=len))
    assert missing(older, file) == ["new", "A.gone"]


def test_the_doctor_says_it(desk: Desk, monkeypatch: object) -> None:
    monkeypatch.setattr(native_part, "missing", lambda: ["scan_all", "b", "c", "d"])  # type: ignore[attr-defined]
    found = native(desk, False)
    assert found.state == "problem" and "older than the Python: it lacks scan_all, b, c" in found.what

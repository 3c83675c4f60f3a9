"""`guard`: the hook and the check, as a person and a script see them."""

from __future__ import annotations

import json
from typing import Any

AWS = "AK" + "IAQ3EGRT5HZX7WLMNP"


def test_the_hook_comes_and_goes_by_command(kairos: Any, repo: Any, monkeypatch: Any) -> None:
    monkeypatch.chdir(repo.root)
    said = kairos("guard", "status").out
    assert "no guard is installed" in said and "Next: kairos guard install" in said
    installed = kairos("guard", "install").out
    assert "--no-verify" in installed
    assert "kairos guard remove" in installed
    assert "installed already" not in installed
    again = kairos("guard", "install")
    assert "the guard was installed already, and git runs it; nothing was changed" in again.out
    assert kairos("guard", "install", "--json").data["changed"] is False
    assert "runs before every commit" in kairos("guard", "status").out
    assert "is as it was" in kairos("guard", "uninstall").out
    assert "no guard was installed" in kairos("--repo", str(repo.root), "guard", "remove").out


def test_a_check_exits_with_what_it_found(kairos: Any, repo: Any) -> None:
    repo.write("a.txt", "hello\n")
    repo.git("add", "a.txt")
    clean = kairos("--repo", str(repo.root), "guard", "check")
    assert clean.code == 0
    assert "looked at 1 staged file, 6 bytes: no credential found" in clean.out
    repo.write("dev.env", f"AWS={AWS}\n")
    repo.git("add", "dev.env")
    found = kairos("--repo", str(repo.root), "guard", "check")
    assert found.code == 8
    assert "dev.env:1  AWS key" in found.out
    assert AWS not in found.out + found.err
    told = kairos("--repo", str(repo.root), "guard", "check", "--json")
    assert told.code == 8
    data = json.loads(told.out)["data"]
    assert (data["files"], data["refuses"], data["found"][0]["line"]) == (2, True, 1)

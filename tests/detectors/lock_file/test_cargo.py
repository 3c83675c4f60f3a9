"""Members of a workspace, and what is none."""

from __future__ import annotations

import pytest

from kairos.detectors.lock_file.cargo import lacking

ROOT = {"workspace": {"members": ["crates/*", "tool"], "exclude": ["crates/old"]}}


@pytest.mark.parametrize(
    ("path", "member"),
    [
        ("crates/a/Cargo.toml", True), ("tool/Cargo.toml", True), ("crates/old/Cargo.toml", False),
        ("crates/a/b/Cargo.toml", False), ("else/Cargo.toml", False), ("Cargo.toml", True),
    ],
)  # fmt: skip
def test_only_a_member_must_be_in_the_lock(path, member):
    manifest = {"package": {"name": "x", "version": "1.0.0"}}
    assert bool(list(lacking(path, manifest, "Cargo.toml", ROOT, []))) is member


@pytest.mark.parametrize("manifest", [{}, {"package": []}, {"package": {"name": 1}}, {"workspace": {"members": 3}}])
def test_odd_manifests_lack_nothing(manifest):
    assert list(lacking("Cargo.toml", manifest, "Cargo.toml", manifest, [])) == []

"""What npm wrote of a workspace's packages."""

from __future__ import annotations

from kairos.detectors.lock_file.npm import lacking

LOCK = {"packages": {"": {}, "packages/a": {"devDependencies": {"x": "1"}}}}


def test_each_package_is_compared_with_its_own_entry():
    assert list(lacking({"devDependencies": {"x": "1"}}, LOCK, "packages/a")) == []
    assert [one.name for one in lacking({"dependencies": {"y": "1"}}, LOCK, "packages/a")] == ["y"]
    assert list(lacking({"dependencies": {"y": "1"}}, LOCK, "packages/unknown")) == []


def test_odd_shapes_lack_nothing():
    assert list(lacking({"dependencies": []}, {"packages": []}, "")) == []
    assert list(lacking({"dependencies": {"a": {}}}, {"packages": {"": {"dependencies": {"a": 1}}}}, "")) == []

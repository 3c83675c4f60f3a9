"""Links are followed as a system follows them."""

from __future__ import annotations

import os

import pytest

from kairos.repo.links import HOPS, LinkEnd, followed

LINKS = {
    "folder": "real/deep", "a": "folder/x", "b": "folder/../y", "c": "./c", "d": "../d", "e": "/etc", "f/g": "../a",
    "h": "", "p": "q", "q": "p", "r": "folder/..//./z/", "s": "f/../../../x",
}  # fmt: skip


@pytest.mark.parametrize(
    ("link", "end"),
    [
        ("a", LinkEnd("inside", "real/deep/x")),
        ("b", LinkEnd("inside", "real/y")),
        ("r", LinkEnd("inside", "real/z")),
        ("f/g", LinkEnd("inside", "real/deep/x")),
        ("none", LinkEnd("inside", "none")),
        ("h", LinkEnd("inside", "")),
        ("d", LinkEnd("outside")),
        ("e", LinkEnd("outside")),
        ("s", LinkEnd("outside")),
        ("c", LinkEnd("circle")),
        ("p", LinkEnd("circle")),
    ],
)
def test_a_link_ends_where_it_leads(link, end):
    assert followed(link, LINKS.get) == end


def test_a_link_that_grows_ends_within_bounds():
    assert followed("a", {"a": "a/" + "b/" * 10_000}.get) == LinkEnd("circle")
    chain = {str(n): str(n + 1) for n in range(HOPS + 5)}
    assert followed("0", chain.get) == LinkEnd("circle")
    assert followed("6", chain.get) == LinkEnd("inside", str(HOPS + 5))


def test_it_ends_where_the_system_ends(tmp_path):
    for name in ("real/deep", "f"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("a", "b", "r", "f/g"):
        (tmp_path / name).symlink_to(LINKS[name])
    (tmp_path / "folder").symlink_to(LINKS["folder"])
    for name in ("a", "b", "r", "f/g"):
        assert os.path.realpath(tmp_path / name) == str(tmp_path / followed(name, LINKS.get).path)

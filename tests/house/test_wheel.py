"""What ships: maturin drops a misspelt package or a missing binary without a word."""

from __future__ import annotations

import fcntl
import os
import stat
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    """The wheel of this checkout, built once for all workers of a run. Cargo's target directory is shared, so that
    only what changed is compiled."""
    worker = "PYTEST_XDIST_WORKER" in os.environ
    out = tmp_path_factory.getbasetemp().parent / "wheel" if worker else tmp_path_factory.mktemp("wheel")
    out.mkdir(exist_ok=True)
    with (out / ".lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not list(out.glob("*.whl")):
            maturin = Path(sys.executable).with_name("maturin")
            done = subprocess.run(
                [maturin, "build", "--release", "--locked", "--quiet", "--interpreter", sys.executable, "--out", out],
                cwd=root, capture_output=True, text=True, check=False,
            )  # fmt: skip
            assert done.returncode == 0, done.stderr[-3000:]
    (built,) = out.glob("*.whl")
    assert built.name.startswith("kairos_assistant-")
    assert "-cp311-abi3-" in built.name
    with zipfile.ZipFile(built) as opened:
        yield opened


def test_top_level_names_are_exactly_the_three_packages(wheel: zipfile.ZipFile) -> None:
    tops = {name.split("/")[0] for name in wheel.namelist()}
    info = [top for top in tops if top.endswith(".dist-info")]
    assert len(info) == 1
    assert tops - set(info) == {"kairos", "dream", "cli"}


def test_every_module_of_the_checkout_ships_and_nothing_else(wheel: zipfile.ZipFile, ours: list[str]) -> None:
    python = {p for p in ours if p.split("/")[0] in ("kairos", "dream", "cli")}
    shipped = {n for n in wheel.namelist() if ".dist-info/" not in n}
    extra = {n for n in shipped - python if not n.startswith("kairos/_native.")}
    assert python - shipped == set()
    assert extra == {"kairos/_bin/kairos-exec", "kairos/_bin/kairos-guard"}


def test_one_native_library_and_the_launcher_that_may_be_run(wheel: zipfile.ZipFile) -> None:
    libraries = [n for n in wheel.namelist() if n.endswith((".so", ".pyd", ".dylib"))]
    assert libraries == ["kairos/_native.abi3.so"]
    launcher = wheel.getinfo("kairos/_bin/kairos-exec")
    assert stat.S_IMODE(launcher.external_attr >> 16) & 0o111 == 0o111
    assert wheel.read(launcher)[:4] == b"\x7fELF"


def test_types_and_prompts_ship(wheel: zipfile.ZipFile) -> None:
    names = wheel.namelist()
    assert {"kairos/py.typed", "kairos/_native.pyi"} <= set(names)
    assert [n for n in names if n.startswith("kairos/agent/prompts/") and n.endswith(".md")]


def test_the_installed_command_answers_outside_the_checkout(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    """Unpacked, with the packages it depends on beside it: the version, the tools, and the sandbox's launcher."""
    assert wheel.filename
    site = tmp_path / "site"
    wheel.extractall(site)
    launcher = site / "kairos/_bin/kairos-exec"
    launcher.chmod(0o755)
    code = (
        "import sys; sys.path.insert(0, sys.argv.pop(1)); import kairos; "
        "assert kairos.__file__.startswith(sys.path[0]), kairos.__file__; from cli.__main__ import run; run()"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, site, "status", "--json"],
        cwd=tmp_path, env={**os.environ, "KAIROS_HOME": str(tmp_path / "home")}, capture_output=True, text=True,
        check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert '"schema":"kairos.status/1"' in done.stdout.replace(" ", "")

"""Whatever is typed, and wherever it has to be written: an answer or an error with its exit code, never a traceback."""

from __future__ import annotations

import io
import json
import os
import shlex
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import click
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cli.main import main, root
from cli.verbs import VERBS
from kairos.home import Home

LASTING = {"watch", "daemon run", "start", "demo", "dream", "sandbox run", "init", "compact"}
"""Commands that last, or start a process: a sample of them runs below as real processes."""
CODES = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 75, 130, 141}
HOSTILE = [
    "", " ", "\0", "a\0b", "\udcff", "\ud800",
    "-", "--", "---", "-1", "0", "1", "9" * 40, "1e400", "nan", "inf", "²", "१",
    "\x1b[31m", "\u202e", "é" * 300, "a" * 5_000, "/",
    ".", "..", "~", "~nobody-has-this-name", "/dev/null", "/dev/full",
    "/proc/self/mem", "/nowhere/at/all", "*", "[", "{}", "'", '"', "2h", "-2h", "9999999d", "0m", "2026-01-01",
    "9999-12-31T23:59:59Z", "0001-01-01", "18446744073709551616", "abcd", "HEAD", "%s", "1:" + "0" * 64, "model.name",
    "log.url", "check.", ".", "..a", "[[]]", "tonight", "next-commit", "\n", "a\nb", "\t", "🦀", "ﷺ", "docs/**", "**",
]  # fmt: skip
VALUES = st.sampled_from(HOSTILE) | st.text(max_size=12) | st.integers().map(str) | st.floats().map(str)


def leaves() -> dict[str, click.Command]:
    """Every command as it is typed."""

    def walk(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
        if isinstance(command, click.Group):
            if command.invoke_without_command:
                yield name, command
            for word, below in command.commands.items():
                yield from walk(f"{name} {word}", below)
        else:
            yield name, command

    context = click.Context(root)
    found: dict[str, click.Command] = {}
    for verb in VERBS:
        command = root.get_command(context, verb)
        assert command is not None
        found |= dict(walk(verb, command))
    return found


COMMANDS = {name: command for name, command in leaves().items() if name not in LASTING}


@st.composite
def argv(draw: st.DrawFn, command: click.Command) -> list[str]:
    """Options and arguments of a command in any order, each with a hostile value, some missing, some twice."""
    words: list[str] = []
    for param in draw(st.permutations(command.params)):
        if isinstance(param, click.Argument):
            for _ in range(draw(st.integers(0, 2))):
                words.append(draw(VALUES))
        elif draw(st.integers(0, 3)) == 0 and not {"--follow", "--home"} & set(param.opts):
            name = draw(st.sampled_from([*param.opts, *param.secondary_opts]))
            if param.is_flag:  # type: ignore[attr-defined]
                words.append(name)
            else:
                words += draw(st.sampled_from([[name, draw(VALUES)], [f"{name}={draw(VALUES)}"], [name]]))
    if draw(st.integers(0, 9)) == 0:
        words.insert(draw(st.integers(0, len(words))), draw(VALUES))
    return words


def run(args: Sequence[str]) -> tuple[int, bytes, str]:
    """(exit code, stdout, stderr) of a command in this process; what it raises is raised."""
    out, err = io.TextIOWrapper(io.BytesIO(), "utf-8", "surrogateescape"), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main(args)
    out.flush()
    return code, out.buffer.getvalue(), err.getvalue()  # type: ignore[attr-defined]


def judge(args: Sequence[str]) -> None:
    """Runs a command: a known exit code; if it is not 0, a reason on stderr, as JSON where that was asked for."""
    code, _, err = run(args)
    assert code in CODES, (args, code)
    if code not in (0, 130, 141):
        assert err.strip(), (args, code)
        if "--json" in args and "--" not in args:
            assert json.loads(err.splitlines()[-1])["error"]["code"] == code


@pytest.fixture
def place(seeded: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with a proposal, in a directory of its own, where every file may be written."""
    for number in range(2):
        seeded.raise_(seeded.note(), seed=str(number))
    inside = tmp_path / "inside"
    inside.mkdir()
    monkeypatch.chdir(inside)
    monkeypatch.setenv("HOME", str(tmp_path / "person"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "person" / "config"))
    monkeypatch.setenv("PAGER", "cat")
    monkeypatch.setattr("sys.stdin", io.StringIO("nothing\n"))
    return inside


@pytest.mark.parametrize("name", sorted(COMMANDS))
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_argument_makes_a_traceback(place: Path, name: str, data: st.DataObject) -> None:
    words = data.draw(argv(COMMANDS[name]))
    flags = data.draw(st.lists(st.sampled_from(["--json", "--no-input", "--no-color"]), max_size=2))
    judge([*flags, *name.split(), *words])


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    words=st.lists(
        VALUES | st.sampled_from(sorted(set(VERBS) - {"watch", "daemon", "start", "demo", "dream"})), max_size=4
    )
)
@example(words=["--json", "--json", "--repo"])
@example(words=["--home"])
def test_no_words_make_a_traceback(place: Path, words: list[str]) -> None:
    judge(["--no-input", *words])


BROKEN = [
    b"", b"\xff\xfe", b"[", b"a = ", b"a = 1\na = 2\n", b"[log]\nurl = 5\n", b"attention = 5\n",
    b"[attention]\nper_day = 1e999\n",
    b"[check]\n'' = 5\n", b"\0", b"[" * 4_000, b"x = " + b"9" * 5_000, b"mode = 'no'\n", b"[[rule]]\n", b"rule = 7\n",
]  # fmt: skip


@pytest.mark.parametrize("content", BROKEN)
@pytest.mark.parametrize("file", ["config_file", "policy_file"])
def test_no_broken_file_of_a_person_makes_a_traceback(place: Path, home: Home, file: str, content: bytes) -> None:
    path: Path = getattr(home, file)
    path.write_bytes(content)
    for args in (
        ["status"], ["inbox"], ["doctor"], ["config", "get"], ["policy", "ls"], ["policy", "test", "--path", "a"],
        ["cost"],
        ["turn", "ls"],
        ["turn", "show"],
        ["pause", "1h"], ["resume"], ["config", "set", "attention.per_day", "3"], ["log"], ["approve", "abcd", "--yes"],
        ["policy", "allow", "x", "--path", "docs/*"], ["policy", "revoke", "x"], ["export", "out"], ["stop"],
    ):  # fmt: skip
        judge(["--json", *args])


TROUBLES = {
    "standard output is closed": "{k} status >&-",
    "standard output is closed, with JSON": "{k} inbox --json >&-",
    "standard error is closed": "{k} nothing-like-it 2>&-",
    "all three are closed": "{k} status <&- >&- 2>&-",
    "closed while a log is made": "{k} pause 1h <&- >&- 2>&-",
    "standard output is full": "{k} status > /dev/full",
    "standard output is full, with JSON": "{k} inbox --json > /dev/full",
    "help to a full disk": "{k} --help > /dev/full",
    "an export to a full disk": "{k} export > /dev/full",
    "a log to a full disk": "{k} log > /dev/full",
    "a script to a full disk": "{k} completion bash > /dev/full",
    "a reader that goes away": "{k} log --json | true",
    "an error to a full disk": "{k} show nothing 2> /dev/full",
    "a place that is absent": "{k} log export {t}/no/such/place",
    "a place that is a folder": "{k} log export {t}",
    "an export into a file": "{k} export {t}/file/x",
    "an export to a device": "{k} export /dev/full",
    "a home that is a device": "{k} --home /dev/null status",
    "a home that is a file": "{k} --home {t}/file pause",
    "a home that cannot be made": "{k} --home /proc/nowhere pause",
    "a home whose name is no text": "{k} --home $'{t}/\\xff' status",
    "no HOME": "env -u HOME -u KAIROS_HOME HOME=/proc/nowhere {k} pause 1h",
    "no HOME at all": "env -u HOME -u KAIROS_HOME {k} status",
    "a current directory that is gone": "mkdir {t}/gone && cd {t}/gone && rmdir {t}/gone && {k} status && {k} files;"
    " {k} unwatch; {k} memory related a; {k} export out; {k} init --yes; {k} sandbox run true",
    "no such language": "LC_ALL=xx_YY.utf9 {k} status",
    "an encoding that cannot say it": "PYTHONIOENCODING=ascii {k} status --short",
    "columns that are none": "COLUMNS=abc {k} inbox; COLUMNS=-5 {k} inbox",
    "a time zone that is none": "TZ=No/Where {k} status",
    "a clock that is none": "KAIROS_CLOCK_FILE=/etc/passwd {k} status; KAIROS_CLOCK_FILE=/dev/zero {k} status",
    "a clock without end": "echo inf > {t}/clock; KAIROS_CLOCK_FILE={t}/clock {k} status; echo 1e300 > {t}/clock;"
    " KAIROS_CLOCK_FILE={t}/clock {k} pause 1h",
    "an address of a log that is none": "KAIROS_LOG=xyz {k} status;"
    " KAIROS_LOG=postgresql://nowhere.invalid/x {k} inbox",
    "words that are no text": "{k} show $'\\xff\\xfe'; {k} why $'\\xed\\xa0\\x80'; {k} log --type $'\\xff'",
    "a dream of nothing": "{k} dream --json",
    "a repository that is none": "{k} init /dev/null --yes; {k} init {t}/file --yes; {k} watch {t}/nowhere --yes",
    "a command that is none": "{k} sandbox run -- {t}/file; {k} sandbox run -- $'\\xff'",
    "few open files": "ulimit -n 12; {k} status; {k} doctor",
    "little room for files": "ulimit -f 1; {k} pause 1h; {k} export {t}/out",
}  # fmt: skip


@pytest.mark.parametrize("trouble", TROUBLES)
def test_no_trouble_of_a_real_process_makes_a_traceback(
    kairos_command: list[str], place: Path, tmp_path: Path, trouble: str
) -> None:
    (tmp_path / "file").write_text("mine")
    k = shlex.join(kairos_command)
    done = subprocess.run(
        ["bash", "-c", TROUBLES[trouble].format(k=k, t=tmp_path)], capture_output=True, text=True, errors="replace",
        timeout=120, check=False, stdin=subprocess.DEVNULL, env={**os.environ, "HOME": str(tmp_path / "person")},
    )  # fmt: skip
    said = done.stdout + done.stderr
    assert "Traceback" not in said and "defect of Kairos" not in said, said
    assert done.returncode in CODES, said
    assert (tmp_path / "file").read_text() == "mine"


def test_a_defect_is_said_in_one_line_and_with_its_place_only_when_asked(
    kairos_command: list[str], tmp_path: Path
) -> None:
    program = "import cli.main; cli.main.main = lambda args: 1 // 0; import cli.__main__; cli.__main__.run()"
    python = kairos_command[0]
    done = subprocess.run([python, "-P", "-c", program, "--json"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "ZeroDivisionError" in json.loads(done.stderr)["error"]["message"]
    env = {**os.environ, "KAIROS_TRACEBACK": "1"}
    done = subprocess.run([python, "-P", "-c", program], capture_output=True, text=True, check=False, env=env)
    assert "Traceback" in done.stderr

"""The demo: a whole day in half a minute. A real daemon on a real repository, both temporary; offline, no key."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from kairos.errors import KairosError
from kairos.repo.git import Git

PATIENCE_S = 20.0
FILES = {
    "README.md": "# Shop\n\nPayments live in [pay](src/pay.py).\nSee the [guide](docs/guide.md) first.\n",
    "docs/guide.md": "# Guide\n\nOpen [the code](../src/pay.py) and read `src/pay.py` from the top.\n",
    "src/pay.py": "def pay(cents: int) -> int:\n    return cents\n",
}
_ADA = ("-c", "user.name=Ada", "-c", "user.email=ada@example.invalid", "-c", "commit.gpgsign=false")


class Teller(Protocol):
    """How an entry point shows the steps of the demo."""

    def says(self, text: str) -> None: ...
    def types(self, command: str) -> None: ...
    def answers(self, text: str) -> None: ...


class Demo:
    """One run of the demo: its folders, its steps, and the `Teller` that shows them."""

    def __init__(self, teller: Teller, folder: Path) -> None:
        self._teller = teller
        self.home = folder / "home"
        self.repo = folder / "shop"
        self.git = Git(self.repo)
        self.steps: list[str] = []

    def say(self, text: str) -> None:
        """Shows one line of narration."""
        self._teller.says(text)

    def ask(self, *args: str) -> Any:
        """The `data` of a command's JSON answer, without showing it."""
        done = self._run("--json", *args)
        return json.loads(done.stdout)["data"]

    def kairos(self, *args: str) -> None:
        """Runs a real command and shows it with its output."""
        self.steps.append("kairos " + " ".join(args))
        self._teller.types("kairos " + " ".join(args))
        done = self._run(*args)
        self._teller.answers((done.stdout + done.stderr).decode("utf-8", "replace").rstrip())

    def _run(self, *args: str) -> subprocess.CompletedProcess[bytes]:
        done = subprocess.run(
            self._argv(*args), capture_output=True, env=self._environment(), cwd=self.repo, check=False,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        if done.returncode != 0:
            said = done.stderr.decode("utf-8", "replace").strip()
            raise KairosError(f"`kairos {' '.join(args)}` failed in the demo: {said}", "Run `kairos doctor`.")
        return done

    def user(self, what: str, *args: str) -> None:
        """Shows something that the person does in the repository and, if `args` are given, runs them as a git
        command."""
        self.steps.append(what)
        self._teller.types(what)
        if args:
            self.git.run(*_ADA, *args)

    def make_repository(self) -> None:
        """Creates the repository with its first commit."""
        self.repo.mkdir(parents=True)
        for name, content in FILES.items():
            (self.repo / name).parent.mkdir(parents=True, exist_ok=True)
            (self.repo / name).write_text(content, "utf-8")
        self.git.run("init", "-q", "-b", "main")
        self.git.run("add", "-A")
        self.git.run(*_ADA, "commit", "-q", "-m", "a shop")

    @contextlib.contextmanager
    def daemon(self) -> Iterator[None]:
        """Runs a real daemon, from `ready` until SIGTERM."""
        child = subprocess.Popen(
            self._argv("daemon", "run"), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=self._environment(),
            cwd=self.home, text=True,
        )  # fmt: skip
        assert child.stderr is not None
        with child.stderr:
            try:
                said = ""
                while (line := child.stderr.readline()) != "ready\n":
                    said += line
                    if not line:
                        raise KairosError(f"the daemon of the demo ended: {said.strip() or child.wait()}")
                yield
            finally:
                child.send_signal(signal.SIGTERM)
                try:
                    child.wait(10)
                except subprocess.TimeoutExpired:
                    child.kill()
                    child.wait()

    def first_pending(self) -> Any:
        """Waits for the first verified proposal and returns it."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            pending = [p for p in self.ask("inbox") if p["state"] == "pending"]
            if pending:
                return pending[0]
            time.sleep(0.1)
        raise KairosError("no proposal came in time", "Run `kairos doctor`.")

    def _argv(self, *args: str) -> list[str]:
        return [sys.executable, "-P", "-m", "cli", "--home", str(self.home), *args]

    def _environment(self) -> dict[str, str]:
        return {k: v for k, v in os.environ.items() if k not in ("KAIROS_HOME", "KAIROS_CLOCK_FILE")}


def tell(demo: Demo) -> None:
    """Runs the whole demo. KairosError if a step does not have the expected result."""
    demo.say("A repository, as yours: a README and a guide that name src/pay.py.")
    demo.make_repository()
    demo.ask("config", "set", "attention.quiet_hours", "")
    demo.say("You trust it once. What was wrong before is listed, never raised.")
    demo.kairos("init", str(demo.repo), "--yes", "--history", "all")
    with demo.daemon():
        demo.say("The daemon watches. You rename a module and commit, as usual.")
        demo.user("git mv src/pay.py src/billing.py", "mv", "src/pay.py", "src/billing.py")
        demo.user('git commit -m "rename pay to billing"', "commit", "-q", "-m", "rename pay to billing")
        found = demo.first_pending()
        demo.say("Two files still name the old path. Kairos noticed; here is exactly what it would do:")
        demo.kairos("inbox")
        demo.kairos("show", found["id"])
        demo.say("Why? Every proposal traces back through the log to what happened.")
        demo.kairos("why", found["id"])
        demo.say("You approve exactly what you read, by its digest.")
        demo.kairos("approve", found["id"], "--digest", found["digest"], "--wait", "15")
        _expect("billing.py" in (demo.repo / "README.md").read_text("utf-8"), "README.md was not changed")
        demo.say("Later you edit another line of a file that it changed …")
        readme = demo.repo / "README.md"
        demo.user('echo "Open 9 to 5." >> README.md')
        readme.write_text(readme.read_text("utf-8") + "\nOpen 9 to 5.\n", "utf-8")
        demo.say("… and think better of it. Undo takes back its change and keeps yours.")
        demo.kairos("undo", found["id"], "--yes")
        after = readme.read_text("utf-8")
        _expect("billing.py" not in after and "Open 9 to 5." in after, "undo did not keep the later edit")
        demo.kairos("log", "--type", "ExecutionFinished", "--type", "Undone")
    demo.say("At night it dreams: what the log taught becomes memory that cites its evidence.")
    demo.kairos("dream")
    demo.kairos("memory", "ls")
    demo.say("And the log proves that nothing was changed behind your back.")
    demo.kairos("log", "verify")


def _expect(held: bool, otherwise: str) -> None:
    if not held:
        raise KairosError(f"the demo went wrong: {otherwise}", "This is a defect; please report it.")

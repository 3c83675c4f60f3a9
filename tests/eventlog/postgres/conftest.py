"""A log on a real PostgreSQL server, and a way to it that breaks where a test says."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

import pytest

from kairos.eventlog.cold.leftovers import finish_if_possible
from kairos.eventlog.log import Log
from kairos.home import Home


class Proxy:
    """A unix socket in `folder` that leads to the server's. `cut` tells at which COMMIT the way breaks: `before` the
    server hears of it, or `after` it has done it and before its answer is heard."""

    def __init__(self, folder: Path, server: Path) -> None:
        self.cut: Literal["", "before", "after"] = ""
        self.cuts = 0
        self._server = server / ".s.PGSQL.5432"
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(folder / ".s.PGSQL.5432"))
        self._listening.listen()
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                server = socket.socket(socket.AF_UNIX)
                try:
                    server.connect(str(self._server))
                except OSError:
                    client.close()
                    continue
                self._open += [client, server]
                threading.Thread(target=self._pass_on, args=(client, server), daemon=True).start()
                threading.Thread(target=self._pass_back, args=(server, client), daemon=True).start()

    def _pass_on(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while data := client.recv(65_536):
                if self.cut and b"COMMIT" in data:
                    self.cuts += 1
                    if self.cut == "after":
                        client.shutdown(socket.SHUT_WR)  # the answer is not passed back
                        server.sendall(data)
                        server.settimeout(0.2)
                        with suppress(OSError):
                            server.recv(65_536)
                    self.cut = ""
                    break
                server.sendall(data)
        _end(client, server)

    def _pass_back(self, server: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while data := server.recv(65_536):
                client.sendall(data)
        _end(client, server)

    def close(self) -> None:
        self._listening.close()
        _end(*self._open)


def _end(*sockets: socket.socket) -> None:
    for one in sockets:
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
        one.close()


@pytest.fixture
def url(postgres: Any) -> str:
    """The address of an empty schema."""
    found: str = postgres.url()
    return found


@pytest.fixture
def shared(home: Home, url: str) -> Iterator[Log]:
    """The log of one of several homes."""
    log = Log(home.log, url=url, owner="ada", on_writing=finish_if_possible)
    yield log
    log.close()


@pytest.fixture
def proxy(postgres: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Proxy, str]]:
    """(the proxy, the address of an empty schema by way of it)."""
    folder = tmp_path_factory.mktemp("p")
    made = Proxy(folder, postgres.folder)
    yield made, postgres.url(host=folder)
    made.close()

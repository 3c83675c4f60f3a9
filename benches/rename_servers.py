"""Language servers that are asked what a move of files changes, and whose answer is applied to a work tree."""

from __future__ import annotations

import json
import os
import posixpath
import select
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self
from urllib.parse import unquote, urlsplit

_LONGEST = 90.0
_LANGUAGES = {".py": "python", ".pyi": "python", ".go": "go"}


class LanguageServer:
    """A server over its standard streams. `framed`: messages in both directions have a head; else each one sent is a
    line, as TypeScript's server has it."""

    def __init__(
        self, command: Sequence[str], root: Path, *, framed: bool = True, environment: Mapping[str, str] | None = None
    ) -> None:
        self.process = subprocess.Popen(
            command, cwd=root, env=environment,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self.framed = framed
        self.number = 0
        self.held = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()

    def send(self, message: Mapping[str, Any]) -> None:
        """Sends one message."""
        body = json.dumps(message).encode()
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body) if self.framed else body + b"\n")
        self.process.stdin.flush()

    def receive(self, until: float) -> dict[str, Any]:
        """The next message; TimeoutError if none comes."""
        while (end := self.held.find(b"\r\n\r\n")) < 0:
            self._fill(until)
        length = int(self.held[:end].rpartition(b"Content-Length:")[2].split()[0])
        while len(self.held) < end + 4 + length:
            self._fill(until)
        body, self.held = self.held[end + 4 : end + 4 + length], self.held[end + 4 + length :]
        found = json.loads(body)
        assert isinstance(found, dict)
        return found

    def _fill(self, until: float) -> None:
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], max(0.0, until - time.monotonic()))
        more = os.read(self.process.stdout.fileno(), 1 << 16) if ready else b""
        if not more:
            raise TimeoutError("the server says nothing")
        self.held += more

    def ask(self, method: str, params: object) -> Any:
        """The result of a request of the Language Server Protocol; what the server asks meanwhile is answered. If it
        cannot, ValueError has its words."""
        self.number += 1
        self.send({"jsonrpc": "2.0", "id": self.number, "method": method, "params": params})
        until = time.monotonic() + _LONGEST
        while True:
            message = self.receive(until)
            if "method" in message and "id" in message:
                items = message.get("params", {}).get("items", [])
                answer = [None for _ in items] if message["method"] == "workspace/configuration" else None
                self.send({"jsonrpc": "2.0", "id": message["id"], "result": answer})
            elif message.get("id") == self.number:
                if "error" in message:
                    raise ValueError(str(message["error"].get("message"))[:160])
                return message.get("result")

    def open(self, root: Path, paths: Iterable[str]) -> None:
        """Says hello as an editor does that stands in a folder and has files open."""
        folder = {"uri": root.as_uri(), "name": root.name}
        operations = {"willRename": True, "didRename": True, "dynamicRegistration": True}
        self.ask(
            "initialize",
            {
                "processId": os.getpid(), "rootUri": root.as_uri(), "workspaceFolders": [folder],
                "capabilities": {
                    "workspace": {
                        "fileOperations": operations, "workspaceFolders": True, "configuration": True,
                        "workspaceEdit": {"documentChanges": True, "resourceOperations": ["rename"]},
                    }
                },
            },
        )  # fmt: skip
        self.tell("initialized", {})
        for path in paths:
            text = (root / path).read_text("utf-8", "replace")
            language = _LANGUAGES.get(Path(path).suffix, "plaintext")
            item = {"uri": (root / path).as_uri(), "languageId": language, "version": 1, "text": text}
            self.tell("textDocument/didOpen", {"textDocument": item})

    def tell(self, method: str, params: object) -> None:
        """Sends a notification."""
        self.send({"jsonrpc": "2.0", "method": method, "params": params})


def ask_server(command: Sequence[str], root: Path, moved: Mapping[str, str]) -> None:
    """Moves files as an editor does: asks a server for its edits (`workspace/willRenameFiles`), applies them, moves."""
    with LanguageServer(command, root) as server:
        server.open(root, dict.fromkeys([*moved, *(near for old in moved for near in _importers(root, old))]))
        files = [{"oldUri": (root / old).as_uri(), "newUri": (root / new).as_uri()} for old, new in moved.items()]
        edit = server.ask("workspace/willRenameFiles", {"files": files}) or {}
    _apply(edit)
    move(root, moved)


def ask_gopls(command: Sequence[str], root: Path, moved: Mapping[str, str]) -> None:
    """Moves files with the edits of Go's server, which knows no `workspace/willRenameFiles`: what it can do is give the
    package that a file states another name, and its directory with it (`textDocument/rename`). So it is asked for each
    package whose files all moved to another name beside it. Modules of others are not here: if none are vendored,
    go.mod is without its requirements meanwhile. ValueError if it loads no packages."""
    manifest, vendored = root / "go.mod", (root / "vendor" / "modules.txt").exists()
    stated = manifest.read_text("utf-8") if manifest.exists() else ""
    environment = {**os.environ, "GOPROXY": "off", "GOFLAGS": f"-mod={'vendor' if vendored else 'mod'}"}
    for old, new in _packages(root, moved).items():
        if stated and not vendored:
            name = next(row for row in stated.split("\n") if row.startswith("module "))
            manifest.write_text(f"{name}\n\ngo 1.19\n", "utf-8")
        try:
            with LanguageServer(command, root, environment=environment) as server:
                file = next(p for p in sorted(moved) if p.endswith(".go") and posixpath.dirname(p) == old)
                server.open(root, [file])
                rows = (root / file).read_text("utf-8").split("\n")
                line = next(n for n, row in enumerate(rows) if row.startswith("package "))
                place = {"textDocument": {"uri": (root / file).as_uri()}, "position": {"line": line, "character": 9}}
                edit = server.ask("textDocument/rename", {**place, "newName": posixpath.basename(new)}) or {}
        finally:
            if stated:
                manifest.write_text(stated, "utf-8")
        _apply(edit)
    move(root, moved)


def _packages(root: Path, moved: Mapping[str, str]) -> dict[str, str]:
    """The directories whose packages moved as a whole to another name beside it."""
    found: dict[str, str] = {}
    for old in sorted({posixpath.dirname(path) for path in moved if path.endswith(".go")}):
        files = [posixpath.join(old, p.name) for p in (root / old).glob("*.go") if not p.name.endswith("_test.go")]
        news = {posixpath.dirname(moved.get(path, path)) for path in files}
        if len(news) == 1 and old not in news and posixpath.dirname(old) == posixpath.dirname(new := news.pop()):
            found[old] = new
    return found


def _apply(edit: Mapping[str, Any]) -> None:
    """Applies the text edits of a WorkspaceEdit."""
    by_uri: dict[str, list[Any]] = {}
    for uri, edits in (edit.get("changes") or {}).items():
        by_uri.setdefault(uri, []).extend(edits)
    for change in edit.get("documentChanges") or []:
        if "textDocument" in change:
            by_uri.setdefault(change["textDocument"]["uri"], []).extend(change["edits"])
    for uri, edits in by_uri.items():
        splice(
            Path(unquote(urlsplit(uri).path)),
            [(_at(e["range"]["start"]), _at(e["range"]["end"]), e["newText"]) for e in edits],
        )


def ask_typescript(command: Sequence[str], root: Path, moved: Mapping[str, str]) -> None:
    """Moves files one after the other, with the edits of TypeScript's own server (`getEditsForFileRename`)."""
    for old, new in moved.items():
        with LanguageServer(command, root, framed=False) as server:
            near = [old, *_importers(root, old)]
            for path in near:
                server.send({"seq": 0, "type": "request", "command": "open", "arguments": {"file": str(root / path)}})
            names = {"file": str(root / old), "oldFilePath": str(root / old), "newFilePath": str(root / new)}
            server.send({"seq": 1, "type": "request", "command": "getEditsForFileRename", "arguments": names})
            until = time.monotonic() + _LONGEST
            while (message := server.receive(until)).get("request_seq") != 1:
                pass
        for change in message.get("body") or []:
            edits = [
                ((e["start"]["line"] - 1, e["start"]["offset"] - 1), (e["end"]["line"] - 1, e["end"]["offset"] - 1),
                 e["newText"]) for e in change["textChanges"]
            ]  # fmt: skip
            splice(Path(change["fileName"]), edits)
        move(root, {old: new})


def _importers(root: Path, path: str) -> list[str]:
    """Files that name a file, which an editor would have open: without a tsconfig.json the server sees no others."""
    stem = Path(path).name.split(".")[0]
    stem = Path(path).parent.name if stem in ("index", "__init__") else stem
    patterns = ["*.ts", "*.tsx", "*.js", "*.jsx", "*.mts", "*.py", "*.pyi", "*.go"]
    done = subprocess.run(
        ["git", "grep", "-lwF", "-e", stem or "index", "--", *patterns], cwd=root, capture_output=True, text=True
    )
    return done.stdout.split("\n")[:100][:-1]


def _at(place: Mapping[str, int]) -> tuple[int, int]:
    return place["line"], place["character"]


def splice(path: Path, edits: Sequence[tuple[tuple[int, int], tuple[int, int], str]]) -> None:
    """Applies edits (start, end, text) to a file; places are a line and an offset in it, both from 0."""
    lines = path.read_text("utf-8").split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    text = "\n".join(lines)
    for start, end, new in sorted(set(edits), reverse=True):
        text = text[: starts[start[0]] + start[1]] + new + text[starts[end[0]] + end[1] :]
    path.write_text(text, "utf-8")


def move(root: Path, moved: Mapping[str, str]) -> None:
    """Moves the files that are still where they were."""
    for old, new in moved.items():
        if (root / old).exists():
            (root / new).parent.mkdir(parents=True, exist_ok=True)
            (root / old).rename(root / new)

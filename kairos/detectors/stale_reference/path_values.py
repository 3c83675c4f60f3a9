"""Finds paths and module names in configuration, CI files, build files and shell scripts."""

from __future__ import annotations

import posixpath
import re

from kairos.detectors.patching import Lines, Span
from kairos.detectors.stale_reference import commands, known_names, python_imports
from kairos.detectors.stale_reference.destinations import STAYS, Followed, PathReading, follow, is_dotted
from kairos.detectors.stale_reference.go_words import find_words
from kairos.detectors.stale_reference.modules import STAYS as KEPT
from kairos.detectors.stale_reference.modules import Modules, Renamed
from kairos.detectors.stale_reference.moves import Moves
from kairos.detectors.stale_reference.patterns import find_patterns
from kairos.detectors.stale_reference.projects import Projects
from kairos.detectors.stale_reference.references import Found
from kairos.detectors.stale_reference.source_roots import follow_below_root

SUFFIXES = (
    ".yml", ".yaml", ".toml", ".json", ".jsonc", ".json5", ".ini", ".cfg", ".conf", ".properties", ".mk", ".cmake",
    ".gradle", ".sh", ".bash", ".zsh", ".bzl", ".bazel", ".dockerfile", ".service", ".timer", ".socket", ".envrc",
    ".code-workspace", ".txt", ".gyp", ".gypi", ".am", ".xml",
)  # fmt: skip
NAMES = frozenset({
    "Makefile", "makefile", "GNUmakefile", "Dockerfile", "Containerfile", "Justfile", "justfile", "Procfile",
    "Jenkinsfile", "CODEOWNERS", "MANIFEST.in", "CMakeLists.txt", "BUILD", "WORKSPACE", "Tiltfile", "Vagrantfile",
    ".dockerignore", ".gitattributes", ".editorconfig", ".coveragerc", ".flake8", ".pylintrc", ".babelrc", ".eslintrc",
    "meson.build", ".env", ".envrc", ".prettierrc", ".pythonrc", ".gitmodules",
})  # fmt: skip
SCRIPTS = ("bin", "scripts", "script", "tools", "ci", "hack", ".husky", ".githooks")
"""Directories whose files without a suffix are scripts."""
REQUIREMENTS = re.compile(
    r"(?i)(?:^|/)(?:[^/]*(?:requirements?|constraints?)[^/]*|(?:requirements?|reqs|constraints)/(?:[^/]+/)*[^/]+)\.(?:txt|in|pip)$"
)
REQUIRED = (".txt", ".in", ".pip")
"""Ends of the names of such files."""
_ROOTED = frozenset({"CODEOWNERS", ".dockerignore", ".gitattributes", ".gitignore"})
"""Files in which a leading slash means the root of the repository; in others it means the root of the file system."""
_FROM_ROOT = re.compile(
    r"^\.(?:github|gitlab|circleci|buildkite|azure)|(?:^|/)(?:\.gitlab-ci|azure-pipelines|\.travis)"
)
"""Files whose paths with a leading dot start at the root."""
_ENTRY_POINTS = frozenset({"pyproject.toml", "setup.cfg"})
_TOKEN = re.compile(r"[\w.@+~/%-]+")
_FILE_KEY = re.compile(r"(?i)(?:files?|paths?|readme|licen[cs]e)[\"']?[ \t]*[=:][ \t]*\[?[ \t]*[\"']$")
_GLUED = frozenset("$}{*?[]\\@:)>")
_OPEN_ENDED = frozenset("${*?[@")
"""A token next to one of these characters is part of a pattern, a variable or a remote name, not a whole path."""
_SECTION = "mypy-"
"""How the section of a module begins in the settings of mypy: `[mypy-pkg.pay,pkg.cart.*]`."""
_MODULE = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
_LISTED = re.compile(
    r"(?m)^[ \t]*\"?(?:py[-_]modules|module)\"?[ \t]*[=:][ \t]*\[?[\w\s,\"']*$|^\[mypy-(?:[\w.*]+[ \t]*,[ \t]*)*$"
)
"""What stands before a name that is that of a module, whether or not it has dots."""
_INCLUDES = re.compile(
    r"[ \t]*(?:-[rcef]|--(?:requirement|constraint|editable|find-links))(?:[ \t]*=[ \t]*|[ \t]*)|[ \t]*(?=\.{0,2}/)"
)


def is_configuration(path: str) -> bool:
    """Whether a file contains paths as values."""
    name = posixpath.basename(path)
    if name.startswith(".") and name.endswith("ignore"):
        return True
    named = name in NAMES or name.startswith(("Dockerfile.", "Makefile.", ".env.")) or is_script(path)
    return named or name.lower().endswith(SUFFIXES) or REQUIREMENTS.search(path) is not None


def is_script(path: str) -> bool:
    """Whether a file may be a program without a suffix, by its directory."""
    directory, name = posixpath.split(path)
    return "." not in name and posixpath.basename(directory) in SCRIPTS


def find_values(path: str, text: str, moves: Moves, modules: Modules, projects: Projects | None = None) -> Found:
    """The references in one configuration file: whole tokens only, relative to the root or to the file."""
    found, lines = Found(), Lines(text)
    projects = projects or Projects(moves, lambda path: None)
    if REQUIREMENTS.search(path):
        _requirements(path, text, moves, lines, found)
        return found
    if path.endswith(".txt") and posixpath.basename(path) not in NAMES:
        _whole_lines(text, moves, lines, found)
        return found
    if posixpath.basename(path) == ".gitignore":
        _ignore_rules(path, text, moves, lines, found)
        return found
    words = {start: (end, followed) for start, end, followed in find_words(text, 0, len(text), moves, projects)}
    for start, (end, followed) in words.items():
        _put(followed, lines.number(start), Span(start, end, followed.new or ""), found)
    for m in _TOKEN.finditer(text):
        token = m[0].rstrip(".")
        start, end = m.start(), m.start() + len(token)
        if token.startswith(_SECTION) and text[start - 1 : start] == "[" and path.endswith((".ini", ".cfg")):
            token, start = token.removeprefix(_SECTION), start + len(_SECTION)
        before, after = text[start - 1 : start], text[end : end + 1]
        below = token.endswith("/") and after == "*"  # `src/**`: all of a directory
        anchored = after == "$" and before in ("^", "(", "|")
        element = before == ">" and after == "<" and path.endswith(".xml")
        if (
            not token
            or start in words
            or (before in _GLUED and not element)
            or (after in _OPEN_ENDED and not below and not anchored)
        ):
            continue
        quoted = before == after and before in ("'", '"')
        if path.endswith(".xml") and not (element or quoted):
            continue  # XML is a document, too: a word in its text is no value.
        line = lines.number(start)
        followed = _path(path, token, moves, quoted=quoted and _names_file(token, text, start))
        if followed is not STAYS:
            if followed.new and known_names.is_known(path, lines, line, start, end):
                followed = Followed(None, "others may know it by this name: an address, an export")
            _put(followed, line, Span(start, end, followed.new or ""), found)
            continue
        renamed = _module(path, token, text, start, end, modules)
        if renamed is not KEPT:
            _put(Followed(renamed.new, renamed.why), line, Span(start, end, renamed.new or ""), found)
        elif _may_mean(token, moves):
            found.doubt(line, "ends like the old path but starts elsewhere")
        else:
            followed = follow_below_root(token, moves)
            _put(followed, line, Span(start, end, followed.new or ""), found)
    found.add(commands.find_modules(path, text, modules))
    if modules.word.search(text):
        for start, code in commands.programs(text):
            found.add(python_imports.find_imports(path, code, modules, code=False), start, lines.number(start))
    find_patterns(path, text, moves, lines, found)
    _unusual(path, text, moves, lines, found)
    return found


def _names_file(token: str, text: str, start: int) -> bool:
    """Whether a quoted name is that of a file: it has a suffix, or it is the value of something that is a file. A mere
    word in quotes is mostly a word."""
    return "." in token.strip(".") or _FILE_KEY.search(text, max(0, start - 60), start) is not None


def _put(followed: Followed, line: int, span: Span, found: Found) -> None:
    if followed.why:
        found.doubt(line, followed.why)
    elif followed.new == "":
        found.dead.add(line)
    elif followed.new is not None:
        found.rewrite(line, span)


def _path(path: str, token: str, moves: Moves, *, quoted: bool) -> Followed:
    """What became of a path token; STAYS if it names no moved path or still leads to it."""
    body = token.removeprefix("./")
    lead = token[: len(token) - len(body)]
    rooted = body.startswith("/")
    if rooted and posixpath.basename(path) not in _ROOTED:
        return STAYS
    body = body.lstrip("/")
    if not body.strip("./"):
        return STAYS
    slash = body.endswith("/")
    if "/" not in body and not (quoted or lead or rooted) and "." not in body.strip("."):
        return STAYS
    readings = [PathReading("", "", "root")] if rooted else _readings(path, token, moves)
    known = []
    for reading in readings:
        old = posixpath.normpath(posixpath.join(reading.before, body))
        is_file = moves.was(old) and not slash
        if is_file or (old in moves.directories_before and old not in ("", ".") and "/" in body):
            known.append((reading, old))
    if not known:
        return STAYS
    stale = [moves.is_stale(old) or old in moves.directories for _, old in known]
    if not all(stale):
        beside = moves.former(path) != path and known[0][0].style == "relative" and is_dotted(token)
        here = posixpath.normpath(posixpath.join(known[0][0].here, body))
        lost = beside and here not in moves.now and here not in moves.directories_now
        return Followed(None, "it is relative to where the file was") if lost else STAYS
    followed = follow(("/" if rooted else "") + body, readings, moves)
    if not followed.new or not lead or is_dotted(followed.new):
        return followed
    return followed._replace(new=lead + followed.new)


def _readings(path: str, token: str, moves: Moves) -> list[PathReading]:
    """The meanings of a path: from the root and from the file; with a leading dot from the file, unless it is one of
    CI."""
    here, before = posixpath.dirname(path), posixpath.dirname(moves.former(path))
    root, beside = PathReading("", "", "above"), PathReading(before, here, "relative")
    if is_dotted(token) and not _FROM_ROOT.search(path):
        return [beside, root] if token.startswith("./") else [beside]
    found = [root, beside] if before or here else [root]
    if posixpath.basename(path) in ("mkdocs.yml", "mkdocs.yaml"):
        found.append(PathReading(posixpath.join(before, "docs"), posixpath.join(here, "docs"), "above"))
    return found


def _requirements(path: str, text: str, moves: Moves, lines: Lines, found: Found) -> None:
    """The files that a requirement file includes or installs, which are relative to it."""
    here, before = posixpath.dirname(path), posixpath.dirname(moves.former(path))
    for number, start in enumerate(lines.starts):
        line = lines.slice(number, number)
        lead = _INCLUDES.match(line)
        name = re.match(r"[\w.@+~/-]+", line[lead.end() :]) if lead else None
        if lead and name:
            followed = follow(name[0], [PathReading(before, here, "relative")], moves)
            at = start + lead.end()
            _put(followed, number, Span(at, at + len(name[0]), followed.new or ""), found)


def _whole_lines(text: str, moves: Moves, lines: Lines, found: Found) -> None:
    """The lines of a list that are exactly an old path."""
    for number, start in enumerate(lines.starts):
        name = lines.slice(number, number).strip()
        if "/" in name and (moves.is_stale(name) or name.rstrip("/") in moves.directories):
            followed = follow(name, [PathReading("", "", "above")], moves)
            at = text.index(name, start)
            _put(followed, number, Span(at, at + len(name), followed.new or ""), found)


def _ignore_rules(path: str, text: str, moves: Moves, lines: Lines, found: Found) -> None:
    """The rules of a .gitignore. A rule names what is not tracked: it follows a directory above, but no tracked file,
    unless it is a `!rule`."""
    here = posixpath.dirname(path)
    for number, start in enumerate(lines.starts):
        line = lines.slice(number, number)
        rule = re.match(r"[ \t]*(!?)(/?)([^\s#!/*?\[\\][^\s*?\[\\]*)", line)
        if rule is None or not (rule[2] or "/" in rule[3].rstrip("/")):
            continue
        old = posixpath.join(here, rule[3].rstrip("/"))
        within = rule[3].endswith("/") and line[rule.end() :].strip() != ""
        above = next((d for d in [*([old] if within else []), *_parents(old)] if d in moves.directories), None)
        new = moves.directories[above] + old[len(above) :] if above else None
        if rule[1]:
            new = moves.moved.get(old) or moves.directories.get(old) or new
        if new is None:
            continue
        if here and not new.startswith(here + "/"):
            found.doubt(number, f"it names a path of {above or old}, which moved")
        else:
            at = start + rule.start(3)
            found.rewrite(number, Span(at, at + len(rule[3].rstrip("/")), new[len(here) + 1 if here else 0 :]))


def _parents(path: str) -> list[str]:
    """The directories above a path, nearest first."""
    found = []
    while path := posixpath.dirname(path):
        found.append(path)
    return found


def _module(path: str, token: str, text: str, start: int, end: int, modules: Modules) -> Renamed:
    """The new name of a Python module: as an entry point `module:name`, or dotted in Python's own files."""
    if not _MODULE.fullmatch(token):
        return KEPT
    entry = re.match(r":[A-Za-z_]", text[end : end + 2]) is not None
    own = path.endswith((".ini", ".cfg", "pyproject.toml", ".coveragerc"))
    before = text[max(0, start - 60) : start]
    own = own or re.search(r"(?:_MODULE|_APP|\"module)[\"']?[ \t]*[=:][ \t]*[\"']?$", before) is not None
    listed = _LISTED.search(before) is not None
    whole = listed or (entry and ("." in token or posixpath.basename(path) in _ENTRY_POINTS))
    if not whole and not (own and "." in token):
        return KEPT
    return modules.renamed(path, token, shortest=1 if whole else 2)


def _may_mean(token: str, moves: Moves) -> bool:
    """Whether a path with another root, as in `/app/src/pay.py` or `backend/src/pay.py`, may mean a moved file."""
    if token.count("/") < 2 or token.startswith("//"):
        return False
    parts = token.strip("/").split("/")
    first = max(1, len(parts) - moves.deepest)
    return any(moves.is_stale("/".join(parts[i:])) for i in range(first, len(parts) - 1))


def _unusual(path: str, text: str, moves: Moves, lines: Lines, found: Found) -> None:
    """Finds old paths that are not a single token, for example with spaces: only as whole quoted values."""
    for old in moves.stale:
        if _TOKEN.fullmatch(old) or not old.isprintable() or old not in text:
            continue
        for m in re.finditer(rf"([\"'])(?:\./)?({re.escape(old)})\1", text):
            line = lines.number(m.start(2))
            if old in moves.gone:
                found.dead.add(line)
            else:
                found.rewrite(line, Span(m.start(2), m.end(2), moves.moved[old]))

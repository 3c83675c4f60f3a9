"""ignore-artifact: untracked files that are generated or very large and that no rule ignores."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence

from kairos.detectors.artifacts import directory_rule, file_rule
from kairos.detectors.boundaries import BASELINE, BURST, COMMIT, IDLE_RETURN, LATER, MANUAL
from kairos.detectors.generated_signs import (
    PUBLISHED_FROM_GIT,
    is_built,
    is_fixture,
    is_kept_elsewhere,
    is_partly_ignored,
    keeps_such,
)
from kairos.detectors.patching import Span, spliced
from kairos.detectors.scene import Scene
from kairos.detectors.wording import evidence, fingerprint_of, key_of, keys_of
from kairos.domain.action import NoteAction, PatchAction, edit
from kairos.domain.amounts import count, listed
from kairos.domain.basis import basis_of
from kairos.domain.finding import Finding
from kairos.domain.inert import shown
from kairos.repo.beneath import as_text

LARGE = 10 << 20
_IGNORE = ".gitignore"


class IgnoreArtifact:
    """Proposes a rule for known generated files and a note for other files that are large; reports nothing else."""

    name = "ignore-artifact"
    version = 1
    boundaries = frozenset({COMMIT, BURST, IDLE_RETURN, LATER, BASELINE, MANUAL})

    def look(self, scene: Scene) -> Iterator[Finding]:
        rules: dict[str, list[str]] = {}
        rest: list[str] = []
        known = _Rules(scene)
        for path in _files(scene, known):
            rule = known.rule_for(path)
            if rule:
                rules.setdefault(rule, []).append(path)
            elif not path.endswith("/"):
                rest.append(path)
        kept = _wanted_by_a_rule(scene, [paths[0] for paths in rules.values()])
        rules = {rule: paths for rule, paths in sorted(rules.items()) if paths[0] not in kept}
        if rules:
            yield self._patch(scene, rules)
        for path in rest:
            size = scene.facts.size(path)
            if size > LARGE:
                yield self._large(scene, path, size)

    def _patch(self, scene: Scene, rules: dict[str, list[str]]) -> Finding:
        names = list(rules)
        number = sum(map(len, rules.values()))
        examples = listed([shown(paths[0]) for paths in rules.values()])
        action = _ignoring(scene, names)
        how = "" if isinstance(action, PatchAction) else " The .gitignore here cannot be patched as text."
        key, subjects = keys_of(self.name, ([name] for name in names))
        return Finding(
            detector=self.name,
            version=self.version,
            key=key,
            subjects=subjects,
            former_keys=[key_of(self.name, names)],
            fingerprint=fingerprint_of(names),
            basis=basis_of(present=[paths[0] for paths in rules.values()] if number == 1 else ()),
            title=f"Ignore {listed([shown(n) for n in names])}",
            claim=f"{count(number, 'untracked path')} that no rule ignores seem{'s' if number == 1 else ''} "
            f"generated: {examples}.{how}",
            action=action,
            evidence=evidence(
                scene.cause, [c.position for c in scene.changes if any(c.path in p for p in rules.values())]
            ),
            unchecked=["whether one of them was meant to be committed"],
        )

    def _large(self, scene: Scene, path: str, size: int) -> Finding:
        mib = f"{size / (1 << 20):.0f} MiB"
        return Finding(
            detector=self.name,
            version=self.version,
            key=key_of(self.name, ["large", path]),
            fingerprint=fingerprint_of([path]),
            basis=basis_of(present=[path]),
            title=f"{shown(path)} is {mib} and neither tracked nor ignored",
            claim="The next `git add -A` would put it into history for good.",
            action=NoteAction(
                repo=scene.repo,
                text=f"Ignore {shown(path)}, move it out of the repository, or track it with Git LFS.",
            ),
            evidence=evidence(scene.cause, [c.position for c in scene.changes if c.path == path]),
            unchecked=["what it is for"],
        )


def _files(scene: Scene, known: _Rules) -> list[str]:
    """The untracked entries: known artifacts as listed, other directories expanded to the files in them. At a live
    boundary only the entries that the trigger changed; at a commit or a return all of them."""
    plain, inside = [], []
    for entry in scene.untracked:
        if entry.endswith("/") and known.rule_for(entry) is None:
            if not scene.exists(f"{entry}.git"):
                inside.append(entry)
        else:
            plain.append(entry)
    if scene.boundary == BURST:
        changed = {c.path for c in scene.changes if c.kind != "deleted"}
        plain = [p for p in plain if p in changed or any(c.startswith(p) for c in changed if p.endswith("/"))]
        inside = [d for d in inside if any(c.startswith(d) for c in changed)]
        return sorted(plain + [p for p in scene.untracked_under(inside) if p in changed])
    return sorted(plain + scene.untracked_under(inside))


class _Rules:
    """The rules for the paths of one scene; what was found out about a rule or a directory is kept."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._keeps: dict[str, bool] = {}
        self._built: dict[str, bool] = {}

    def rule_for(self, path: str) -> str | None:
        """The .gitignore line for a generated path, anchored if the name alone is not specific enough. None if
        something that the rule covers is tracked, or if the file is the input of a test."""
        rule = directory_rule(path)
        if rule == "*.egg-info/" and is_fixture(path):
            return None
        if rule is None and (rule := file_rule(path)) is not None and is_fixture(path):
            return None
        if rule is None and not is_fixture(path):
            rule = self._for_directory(path)
        if rule is not None and rule not in self._keeps:
            self._keeps[rule] = keeps_such(rule, self._scene.tracked)
        return None if rule is None or self._keeps[rule] else rule

    def _for_directory(self, path: str) -> str | None:
        """The rule for a directory that is generated if there is a witness for it."""
        parts = path.split("/")
        for depth, name in enumerate(parts[:-1], 1):
            directory, parent = "/".join(parts[:depth]), "/".join(parts[: depth - 1])

            def beside(*names: str, at: str = parent) -> bool:
                return any(self._scene.exists(posixpath.join(at, n)) for n in names)

            if beside("pyvenv.cfg", at=directory):
                return f"{name}/" if name == ".venv" else _anchored(directory)
            if name in ("_build", "site") and self._is_site(directory, name):
                return _anchored(directory)
            if name == "target" and (beside("CACHEDIR.TAG", at=directory) or beside("Cargo.toml", "pom.xml")):
                return _anchored(directory)
            if name in ("dist", "build") and beside("pyproject.toml", "setup.py", "setup.cfg", "package.json"):
                if directory not in self._built:
                    self._built[directory] = self._is_built(directory, parent)
                return _anchored(directory) if self._built[directory] else None
            if name == "coverage" and beside("lcov.info", "lcov-report", "index.html", at=directory):
                return _anchored(directory)
        return None

    def _is_site(self, directory: str, name: str) -> bool:
        """Whether a directory holds documentation that Sphinx or MkDocs built."""
        parent = posixpath.dirname(directory)
        made = {n for depth, n, _ in self._scene.facts.listed(directory) if depth <= 1}
        if name == "_build":
            near = [posixpath.join(parent, "conf.py"), posixpath.join(parent, "source", "conf.py")]
            return any(map(self._scene.exists, near)) and bool({"doctrees", "objects.inv", ".buildinfo"} & made)
        near = [posixpath.join(parent, f"mkdocs.{end}") for end in ("yml", "yaml")]
        return any(map(self._scene.exists, near)) and {"sitemap.xml", "index.html"} <= made

    def _is_built(self, directory: str, parent: str) -> bool:
        """Whether a `build` or `dist` holds the output of a build that nobody means to commit."""
        if any(self._scene.exists(posixpath.join(parent, name)) for name in PUBLISHED_FROM_GIT):
            return False
        names = self._scene.facts.listed(directory)
        rules = (self._scene.text(_IGNORE) or "").splitlines()
        if is_partly_ignored(directory, rules) or is_kept_elsewhere(names, self._scene.tracked):
            return False
        package = self._scene.text(posixpath.join(parent, "package.json")) or ""
        return is_built(names, directory, package, self._scene.tracked)


def _anchored(directory: str) -> str | None:
    """A rule for this directory only, with special characters escaped; None if no rule can express it."""
    if not directory.isprintable():
        return None
    return "/" + re.sub(r"([\\\\*?\[])", r"\\\1", directory) + "/"


def _wanted_by_a_rule(scene: Scene, paths: Sequence[str]) -> set[str]:
    """The paths that a negated rule (`!name`) deliberately keeps."""
    return {path for path, rule in scene.facts.ignored(paths).items() if rule.startswith("!")}


def _ignoring(scene: Scene, rules: Sequence[str]) -> PatchAction | NoteAction:
    """A patch that appends the rules to the root's .gitignore; a note if that file is not plain text that Kairos may
    change."""
    content = scene.read(_IGNORE)
    if content is None and not scene.exists(_IGNORE):
        text = "".join(f"{rule}\n" for rule in rules)
        return PatchAction(repo=scene.repo, edits=[edit(_IGNORE, None, (text.encode(), 0o644))])
    text_now = as_text(content.data) if content else None
    if content is None or text_now is None:
        return NoteAction(
            repo=scene.repo, text="Add to .gitignore:\n" + "".join(f"  {shown(rule)}\n" for rule in rules)
        )
    end = "\r\n" if text_now.count("\r\n") * 2 > text_now.count("\n") else "\n"
    glue = "" if not text_now or text_now.endswith("\n") else end
    added = glue + "".join(f"{rule}{end}" for rule in rules)
    span = Span(len(text_now), len(text_now), added)
    return PatchAction(repo=scene.repo, edits=[spliced(_IGNORE, content.data, content.mode, [span])])

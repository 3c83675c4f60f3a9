"""References in a large repository: `python -m benches.references [FILES]`. Goals: 3 s cold, 300 ms a rename.

*Cold* reads and parses every file once; *a rename* is one look of the detector after a commit that renames one of them.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benches.rename_clone import Clone
from kairos.detectors.stale_reference.detector import StaleReference
from kairos.detectors.stale_reference.source_files import LANGUAGES, parsed

_BODY = (
    "export function f{n}(a, b) {{\n  const c = a.map((x) => x + {n})\n  return [b, ...c, 'v{n}', `w${{a}}`]\n}}\n" * 12
)


def make(root: Path, files: int) -> None:
    """A repository of TypeScript files, each of which imports the next one."""
    for n in range(files):
        path = root / f"src/d{n // 100}/m{n}.ts"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"import {{f{n + 1}}} from '../d{(n + 1) // 100}/m{n + 1}'\n" + _BODY.format(n=n))
    for args in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "files"], ["mv", "src/d1/m150.ts", "src/d1/new.ts"]):
        _git(root, *args)
    _git(root, "commit", "-qm", "rename")


def _git(root: Path, *args: str) -> None:
    who = ["-c", "user.name=bench", "-c", "user.email=bench@bench"]
    subprocess.run(["git", *who, *args], cwd=root, check=True)


def main() -> None:
    files = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000
    with tempfile.TemporaryDirectory(prefix="kairos-references-") as place:
        root = Path(place) / "tree"
        root.mkdir()
        make(root, files)
        begun = time.perf_counter()
        process = time.process_time()
        size = found = 0
        for path in root.rglob("*.ts"):
            text = path.read_text()
            size += len(text)
            found += len(parsed(LANGUAGES[path.suffix], text))
        cold, busy = time.perf_counter() - begun, time.process_time() - process
        clone = Clone(root / ".git", Path(place) / "clone")
        head, parent = clone.last()
        looks = []
        for _ in range(5):
            scene = clone.scene(head, parent)
            begun = time.perf_counter()
            findings = list(StaleReference().look(scene))
            looks.append(time.perf_counter() - begun)
        print(f"{files} files, {size / 1e6:.1f} MB, {found} names")
        print(f"cold, all files: {cold:.2f} s ({busy:.2f} s of processor time), goal 3 s")
        print(f"a rename: {1000 * sorted(looks)[2]:.0f} ms, goal 300 ms; {findings[0].title}")


if __name__ == "__main__":
    main()

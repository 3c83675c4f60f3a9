"""Documents in step with what they describe."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from urllib.parse import unquote

import pytest

from cli.verbs import VERBS
from kairos.domain.catalogue import catalogue

FENCE = re.compile(r"^```[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!!)\[[^\]\n]*\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)|!\[[^\]\n]*\]\(([^)\s]+)\)")


def pages(root: Path, ours: list[str]) -> dict[str, str]:
    """Our Markdown for people; prompts, and documents that tests are made of, are not."""
    found = {p: (root / p).read_text("utf-8") for p in ours if p.endswith(".md") and p.split("/")[0] in ("docs", p)}
    assert "README.md" in found
    return found


def commands(text: str) -> list[list[str]]:
    """Each `kairos …` line of a fenced block, in words. Comments and prompts are left out."""
    out = []
    for block in FENCE.findall(text):
        for line in block.splitlines():
            line = re.sub(r"^\s*(?:\$ )?(?:\S*/bin/)?", "", line.split("  #")[0])
            if line.startswith("kairos ") and not line.startswith("kairos - "):
                out.append(shlex.split(line.replace("…", ""), comments=True)[1:])
    return out


def test_the_catalogue_of_events_is_the_generated_one(root: Path) -> None:
    assert (root / "docs/events.md").read_text("utf-8") == catalogue(), "run `make docs`"


def test_every_command_that_a_document_names_exists(root: Path, ours: list[str]) -> None:
    wrong = []
    for page, text in pages(root, ours).items():
        for words in commands(text):
            verbs = [w for w in words if not w.startswith("-")]
            if verbs and not re.fullmatch(r"[a-z-]+", verbs[0]):
                continue  # `kairos [OPTIONS] …`
            if verbs and verbs[0] not in VERBS:
                wrong.append(f"{page}: kairos {' '.join(words)}")
    assert wrong == []


def test_every_make_target_that_a_document_names_exists(root: Path, ours: list[str]) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (root / "Makefile").read_text("utf-8"), re.MULTILINE))
    wrong = [
        f"{page}: make {target}"
        for page, text in pages(root, ours).items()
        for target in re.findall(r"(?:^|`)(?:\$ )?make ([a-z-]+)", text, re.MULTILINE)
        if target not in targets
    ]
    assert wrong == []


def test_the_readme_says_how_to_set_up_run_and_test(root: Path) -> None:
    readme = (root / "README.md").read_text("utf-8")
    assert "make watch REPO=" in readme
    assert "make test" in readme
    assert commands(readme), "the README shows the command itself"


def test_every_decision_record_is_listed(root: Path) -> None:
    folder = root / "docs/adr"
    records = sorted(p.name for p in folder.glob("[0-9][0-9][0-9][0-9]-*.md"))
    assert records, "decisions are kept in docs/adr"
    numbers = [int(name[:4]) for name in records]
    assert numbers == list(range(1, len(numbers) + 1)), "numbered from 1 without gaps"
    listed = re.findall(r"\]\((\d{4}-[^)]+\.md)\)", (folder / "README.md").read_text("utf-8"))
    assert sorted(listed) == records


def test_every_link_between_documents_leads_somewhere(root: Path, ours: list[str]) -> None:
    texts = pages(root, ours)
    broken = []
    for page, text in texts.items():
        for match in LINK.finditer(FENCE.sub("", text)):
            target, _, anchor = unquote(match[1] or match[2]).partition("#")
            if re.match(r"[a-z]+:", target):
                continue
            there = (root / page).parent / target if target else root / page
            if not there.exists():
                broken.append(f"{page} → {target}")
            elif anchor and there.suffix == ".md" and anchor not in anchors(there.read_text("utf-8")):
                broken.append(f"{page} → {target}#{anchor}")
    assert broken == []


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", t.lower()).replace(" ", "-") for t in titles}


@pytest.mark.parametrize("page", ["architecture.md", "glossary.md", "security.md", "events.md"])
def test_the_documents_that_the_design_promises_are_there(root: Path, page: str) -> None:
    assert (root / "docs" / page).stat().st_size > 500

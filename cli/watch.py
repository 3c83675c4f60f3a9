"""`init`, `watch`, `unwatch`: which repositories a person trusts to be watched."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from cli import render
from cli.context import Context, pass_context
from cli.given import place, whole
from cli.holding import leased, repository_id_of
from cli.outputs import InitOut, UnwatchOut
from cli.reading import at_one_moment, inbox, names, repositories, short
from kairos.domain.events import FindingListed, RepoTrusted, RepoUnwatched
from kairos.domain.names import as_text
from kairos.errors import KairosError, NotFound, TryAgain, UsageError
from kairos.eventlog.projection import keep_views
from kairos.eventlog.record import NewEvent
from kairos.eventlog.views import Repository
from kairos.home import machine
from kairos.repo.git import Git, open_repository


def register(context: Context, path: str, *, yes: bool, history: int | None) -> InitOut:
    """Trusts and registers the repository that holds `path`, once; its baseline triggers nothing.

    `history`: None no commits, 0 all, else the last so many. UsageError (2), Denied (6)."""
    git = open_repository(Path(path))
    root = git.root
    refuse_own(context, root)
    refuse_unnamed(root)
    stat = root.stat()
    id_, host = repository_id_of(context, root, stat.st_dev, stat.st_ino)
    known = repositories(context).by_id.get(id_)
    new = known is None or not known.watched or not known.ready
    if known is None or not known.watched:
        if not yes:
            _ask_trust(context, root)
        context.home.prepare()
    with leased(context, id_) as mine:
        if new and not mine:
            raise TryAgain(f"{root} is being registered by another command", "Wait for it to end.")
        if known is None or not known.watched:
            trusted = RepoTrusted(repo=id_, root=str(root), dev=stat.st_dev, ino=stat.st_ino, by="user", host=host)
            context.log.append([NewEvent(id_, trusted, None, "user")])
        return _recorded(context, id_, git, new=new, history=history)


def _recorded(context: Context, id_: str, git: Git, *, new: bool, history: int | None) -> InitOut:
    """The baseline of a repository that is registered, and its findings, where they are not in the log yet."""
    entries, before = 0, context.log.head()
    if new or history is not None:
        entries = _baseline(context, repositories(context).by_id[id_], git, history)
    commits = sum(1 for r in context.log.read(before, topics={"CommitRecorded"}) if r.stream == id_)
    findings = _listed(context, id_)
    if new or not _is_listed(context, id_):
        findings = _list_findings(context, repositories(context).by_id[id_])
    if new or history is not None:
        from kairos.daemon.kept import kept_views

        keep_views(context.log, kept_views())
    return InitOut(path=str(git.root), repo=id_, new=new, entries=entries, commits=commits, findings=findings)


def refuse_own(context: Context, root: Path) -> None:
    """Kairos's own folders are never watched as a repository. UsageError (2)."""
    for own in context.home.roots:
        if root == own.resolve() or own.resolve() in root.parents:
            raise UsageError(f"{root} lies inside Kairos's own folder {own}", "Name a repository of yours.")


def refuse_unnamed(root: Path) -> None:
    """The log names a repository by its path, as text. UsageError (2) for one that is none; names inside may be any."""
    name = as_text(str(root))
    if name != str(root):
        raise UsageError(f"the path {name} is not UTF-8, so the log cannot name it", "Rename the directory.")


def _ask_trust(context: Context, root: Path) -> None:
    question = (
        f"{render.inert(str(root))}\nKairos will read this repository, its git history included, and keep what it"
        f" sees in {render.inert(str(context.home.data))}. Nothing is changed without your yes, and nothing leaves this"
        " machine unless you configure a model.\nTrust and watch it?"
    )
    if not context.interactive():
        raise UsageError(f"{root} is not trusted yet, and nobody can be asked here", "Add --yes.")
    if not render.ask(context, question, flag="--yes"):
        raise UsageError(f"{root} was not trusted: nothing was recorded", "Run it again when you want to.")


def _baseline(context: Context, repository: Repository, git: Git, history: int | None) -> int:
    from kairos.sensing.baseline import record_baseline

    with render.progress(context, f"reading {repository.root}") as progress:
        return record_baseline(
            context.log, repository, git, excluded=context.home.roots, history=history, progress=progress
        )


def _listed(context: Context, repo: str) -> list[str]:
    """The findings that were listed at init, as text."""
    trusted = repositories(context).by_id[repo].trusted_at
    found = [r.event for r in context.log.read(trusted, topics={"FindingListed"})]
    return [f"{e.detector}: {e.title}" for e in found if isinstance(e, FindingListed) and e.repo == repo]


def _is_listed(context: Context, repo: str) -> bool:
    """False after an init that was killed between the baseline and its findings."""
    from kairos.daemon.baseline import is_listed

    return is_listed(context.log, repo)


def _list_findings(context: Context, repository: Repository) -> list[str]:
    from kairos.daemon.baseline import list_baseline_findings
    from kairos.daemon.salting import salt_of

    _, problems = list_baseline_findings(context.log, repository, salt_of(context.log, context.home))
    for problem in problems:
        render.message(context, f"{render.paint('warning:', 'yellow')} {render.inert(problem)}")
    return _listed(context, repository.id)


def init_text(done: InitOut) -> str:
    """What init did, for a person."""
    history = f", {render.count(done.commits, 'commit')} of history" if done.commits else ""
    if not done.new:
        return f"{render.inert(done.path)} is watched already{history}"
    entries = render.count(done.entries, "entry", "entries")
    lines = [f"{render.paint('✓', 'green')} {render.inert(done.path)}: {entries}{history}"]
    if done.findings:
        lines.append("  Here before Kairos, listed once and never raised:")
        lines += [f"    {render.inert(text)}" for text in done.findings[:20]]
        if len(done.findings) > 20:
            lines.append(f"    and {len(done.findings) - 20} more: kairos log --type FindingListed")
    return "\n".join(lines)


def parse_history(text: str | None) -> int | None:
    """`all` as 0, a number as itself, nothing as None. UsageError."""
    if text is None:
        return None
    if text == "all":
        return 0
    wanted = whole(text)
    if not wanted:
        raise UsageError(f"--history is `all` or a number of commits, not `{text}`", "For example --history 500.")
    return wanted


@click.command()
@click.argument("path", default=".")
@click.option("--yes", is_flag=True, help="Trust it without asking.")
@click.option("--history", metavar="all|N", help="Also learn from all, or the last N, commits.")
@pass_context
def init(context: Context, path: str, yes: bool, history: str | None) -> None:
    """Trust and register the repository at PATH. Repeating it is harmless."""
    done = register(context, path, yes=yes, history=parse_history(history))
    render.emit(context, "init", done, f"{init_text(done)}\nNext: {render.paint('kairos start', 'bold')}")


@click.command()
@click.argument("paths", metavar="[PATH…]", nargs=-1)
@click.option("--yes", is_flag=True, help="Trust them without asking.")
@click.option("--history", metavar="all|N", help="Also learn from all, or the last N, commits.")
@pass_context
def watch(context: Context, paths: Sequence[str], yes: bool, history: str | None) -> int:
    """Register the repositories at PATH (default: here) and watch in the foreground.

    Prints one line for each delivered proposal; Ctrl-C ends it."""
    from cli.daemon import run_here

    wanted = list(paths) or ([] if repositories(context).watched() else ["."])
    for path in wanted:
        done = register(context, path, yes=yes, history=parse_history(history))
        render.message(context, init_text(done))
    return run_here(context, on_delivery=lambda id_: announce(context, id_))


def announce(context: Context, id_: str) -> None:
    """One line for a delivered proposal. Called from a thread of the daemon, so it opens the log anew."""
    own = Context(json=context.json)
    own.lenient = True  # the daemon runs on the configuration that it started with
    own.home_override, own.no_color = context.home_override, context.no_color
    try:
        render.line(own, *at_one_moment(own, lambda: _announced(own, id_)))
    except KairosError as error:
        render.error(own, error)
    finally:
        own.close()


def _announced(context: Context, id_: str) -> tuple[dict[str, str], str]:
    known = inbox(context)
    raised = known.proposals[id_].raised
    letters = short(list(known.proposals))[id_]
    where = names(repositories(context)).get(raised.repo, "")
    text = (
        f"{render.paint(letters, 'bold')}  {raised.risk}  {render.inert(where)}  "
        f"{render.inert(raised.title)}   kairos show {letters}"
    )
    return {"id": id_, "title": raised.title, "risk": raised.risk, "digest": raised.digest}, text


@click.command()
@click.argument("path", default=".")
@pass_context
def unwatch(context: Context, path: str) -> None:
    """Stop watching the repository at PATH; its history stays in the log."""
    root = str(place(path))
    found = repositories(context).at(root, machine())
    if found is None:
        raise NotFound(f"{path} is not the root of a repository that Kairos knows", "`kairos status` lists them.")
    position = found.trusted_at
    if found.watched:
        position = context.log.append([NewEvent(found.id, RepoUnwatched(repo=found.id, root=root), None, "user")])[0]
    render.emit(
        context, "unwatch", UnwatchOut(path=root, repo=found.id, position=position),
        f"{render.inert(root)} is not watched any more; its history stays",
    )  # fmt: skip

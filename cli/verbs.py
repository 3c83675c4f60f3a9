"""Every verb: its module, its section of the help, and its line there."""

from __future__ import annotations

from typing import NamedTuple


class Verb(NamedTuple):
    """`target` is "module:attribute"; an alias has an empty section and is not listed in the help."""

    target: str
    section: str
    help: str


START, DAY, DECIDE, BACK = "Get started", "Every day", "Decide", "Look back"
MEMORY, RUN, SYSTEM = "Memory", "Run", "System"
SECTIONS = (START, DAY, DECIDE, BACK, MEMORY, RUN, SYSTEM)

VERBS: dict[str, Verb] = {
    "demo": Verb("cli.start.demo:demo", START, "See a whole day in half a minute, offline, in a temporary repository."),
    "watch": Verb("cli.start.watch:watch", START, "Watch repositories in the foreground; the main job."),
    "init": Verb("cli.start.watch:init", START, "Trust and register a repository."),
    "unwatch": Verb("cli.start.watch:unwatch", START, "Stop watching a repository; its history stays."),
    "doctor": Verb("cli.system.doctor:doctor", START, "Find what keeps Kairos from working."),
    "status": Verb("cli.look.status:status", DAY, "What is watched, what is pending, what today cost."),
    "inbox": Verb("cli.look.inbox:inbox", DAY, "Proposals that wait for a decision."),
    "ls": Verb("cli.look.inbox:inbox", "", "Alias of inbox."),
    "review": Verb("cli.decide.review:review", DAY, "Decide proposals one by one, with single keys."),
    "show": Verb("cli.look.inbox:show", DAY, "One proposal with its evidence and exact action."),
    "why": Verb("cli.look.why:why", DAY, "The causal chain of a proposal, an event or a commit, root first."),
    "why-not": Verb("cli.look.why:why_not", DAY, "What was held or suppressed, and by which rule."),
    "approve": Verb("cli.decide.decide:approve", DECIDE, "Say yes to exactly what was shown."),
    "reject": Verb("cli.decide.decide:reject", DECIDE, "Say no, with a reason."),
    "defer": Verb("cli.decide.decide:defer", DECIDE, "Decide later."),
    "edit": Verb("cli.decide.edit:edit", DECIDE, "Change the patch of a proposal before you approve it."),
    "undo": Verb("cli.decide.undo:undo", DECIDE, "Reverse exactly what an action did, keeping later edits."),
    "redo": Verb("cli.decide.undo:redo", DECIDE, "Apply an undone action again."),
    "log": Verb("cli.look.log:log", BACK, "The event log; also `log verify`, `anchor`, `export`, `import`."),
    "files": Verb("cli.look.files:files", BACK, "The watched tree, folded from the log alone."),
    "replay": Verb("cli.look.replay:replay", BACK, "Fold the log again and compare; `--at` shows how things stood."),
    "backtest": Verb(
        "cli.look.backtest:backtest", BACK, "Replay a repository's history: what would have been raised, and done."
    ),
    "cost": Verb("cli.look.cost:cost", BACK, "What models cost, by day, repository, turn and model."),
    "turn": Verb("cli.look.turn:turn", BACK, "What a model looked at, what that cost, and how it ended."),
    "dream": Verb("cli.look.memory:dream", MEMORY, "Consolidate what the log taught, now."),
    "memory": Verb("cli.look.memory:memory", MEMORY, "What was learned, with its evidence."),
    "daemon": Verb("cli.run.daemon:daemon", RUN, "Run the daemon in the foreground; also `daemon logs`."),
    "start": Verb("cli.run.daemon:start", RUN, "Start the daemon in the background."),
    "stop": Verb("cli.run.daemon:stop", RUN, "Stop the daemon after it drained."),
    "pause": Verb("cli.run.control:pause", RUN, "The kill switch: no turns, deliveries or executions."),
    "resume": Verb("cli.run.control:resume", RUN, "End a pause."),
    "tick": Verb("cli.run.control:tick", RUN, "Make the daemon check now whether work is due."),
    "mute": Verb("cli.run.control:mute", RUN, "Silence one detector."),
    "unmute": Verb("cli.run.control:unmute", RUN, "Let a silenced detector speak again."),
    "detectors": Verb("cli.run.detectors:detectors", RUN, "How each detector is doing here; `detectors add` yours."),
    "check": Verb("cli.run.check:check", RUN, "Your own tests and linters after each commit, and who broke what."),
    "watch-log": Verb("cli.run.watch_log:watch_log", RUN, "Logs of your own programs, and what is new in them."),
    "service": Verb("cli.run.service:service", RUN, "Run the daemon at login, as a systemd user service."),
    "guard": Verb("cli.system.guard:guard", SYSTEM, "A pre-commit hook that refuses a credential; also `guard check`."),
    "config": Verb("cli.system.config:config", SYSTEM, "Read and change settings."),
    "policy": Verb(
        "cli.system.policy:policy", SYSTEM, "The rules by which actions are allowed, asked about or denied."
    ),
    "export": Verb("cli.system.export:export", SYSTEM, "Everything known of a repository or of all, to keep."),
    "sandbox": Verb("cli.system.sandbox:sandbox", SYSTEM, "Run a command confined, on a scratch view of a directory."),
    "tools": Verb("cli.system.tools:tools", SYSTEM, "What a turn with a model may call."),
    "forget": Verb("cli.system.forget:forget", SYSTEM, "Excise payloads from the log for good."),
    "compact": Verb("cli.system.compact:compact", SYSTEM, "Seal old events; fold observations under your rule."),
    "completion": Verb("cli.system.completion:completion", SYSTEM, "Print the completion script of a shell."),
}

"""Every verb: where it lives, which section of the help lists it, and its one line there."""

from __future__ import annotations

from typing import NamedTuple


class Verb(NamedTuple):
    """`target` is "module:attribute"; an empty section keeps an alias out of the help."""

    target: str
    section: str
    help: str


START, DAY, DECIDE, BACK = "Get started", "Every day", "Decide", "Look back"
MEMORY, RUN, SYSTEM = "Memory", "Run", "System"
SECTIONS = (START, DAY, DECIDE, BACK, MEMORY, RUN, SYSTEM)

VERBS: dict[str, Verb] = {
    "demo": Verb("cli.demo:demo", START, "See a whole day in half a minute, offline, in a temporary repository."),
    "watch": Verb("cli.watch:watch", START, "Watch repositories in the foreground; the main job."),
    "init": Verb("cli.watch:init", START, "Trust and register a repository."),
    "unwatch": Verb("cli.watch:unwatch", START, "Stop watching a repository; its history stays."),
    "doctor": Verb("cli.doctor:doctor", START, "Find what keeps Kairos from working."),
    "status": Verb("cli.status:status", DAY, "What is watched, what is pending, what today cost."),
    "inbox": Verb("cli.inbox:inbox", DAY, "Proposals that wait for a decision."),
    "ls": Verb("cli.inbox:inbox", "", "Alias of inbox."),
    "review": Verb("cli.review:review", DAY, "Decide proposals one by one, with single keys."),
    "show": Verb("cli.inbox:show", DAY, "One proposal with its evidence and exact action."),
    "why": Verb("cli.why:why", DAY, "The causal chain of a proposal, an event or a commit, root first."),
    "why-not": Verb("cli.why:why_not", DAY, "What was held or suppressed, and by which rule."),
    "approve": Verb("cli.decide:approve", DECIDE, "Say yes to exactly what was shown."),
    "reject": Verb("cli.decide:reject", DECIDE, "Say no, with a reason."),
    "defer": Verb("cli.decide:defer", DECIDE, "Decide later."),
    "undo": Verb("cli.undoing:undo", DECIDE, "Reverse exactly what an action did, keeping later edits."),
    "redo": Verb("cli.undoing:redo", DECIDE, "Apply an undone action again."),
    "log": Verb("cli.log:log", BACK, "The event log; also `log verify`, `anchor`, `export`, `import`."),
    "files": Verb("cli.files:files", BACK, "The watched tree, folded from the log alone."),
    "replay": Verb("cli.replay:replay", BACK, "Fold the log again and compare; `--at` shows how things stood."),
    "dream": Verb("cli.memory:dream", MEMORY, "Consolidate what the log taught, now."),
    "memory": Verb("cli.memory:memory", MEMORY, "What was learned, with its evidence."),
    "daemon": Verb("cli.daemon:daemon", RUN, "Run the daemon in the foreground."),
    "start": Verb("cli.daemon:start", RUN, "Start the daemon in the background."),
    "stop": Verb("cli.daemon:stop", RUN, "Stop the daemon after it drained."),
    "pause": Verb("cli.control:pause", RUN, "The kill switch: no turns, deliveries or executions."),
    "resume": Verb("cli.control:resume", RUN, "End a pause."),
    "tick": Verb("cli.control:tick", RUN, "Have the daemon do now what it does every half minute."),
    "mute": Verb("cli.control:mute", RUN, "Silence one detector."),
    "unmute": Verb("cli.control:unmute", RUN, "Let a silenced detector speak again."),
    "service": Verb("cli.service:service", RUN, "Run the daemon at login, as a systemd user service."),
    "config": Verb("cli.config:config", SYSTEM, "Read and change settings."),
    "sandbox": Verb("cli.sandbox:sandbox", SYSTEM, "Run a command confined, on a scratch view of a directory."),
    "tools": Verb("cli.tools:tools", SYSTEM, "What a turn with a model may call."),
    "forget": Verb("cli.forget:forget", SYSTEM, "Excise payloads from the log for good."),
    "compact": Verb("cli.compact:compact", SYSTEM, "Seal old events; fold observations under your rule."),
    "completion": Verb("cli.completion:completion", SYSTEM, "Print the completion script of a shell."),
}

"""`rolecall doctor`: looks at each part that a first answer needs, and says what to do about those that are wrong."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import typer

from bot import toolbox
from bot.commands.common import JsonOption, config_path, console, run, show_json
from bot.errors import BotError, ConfigError, IndexHeld
from bot.settings import Settings, WebhookSettings
from bot.types import for_everyone
from bot.wiring import parts

State = Literal["ok", "warning", "wrong"]
MARKS: dict[State, str] = {"ok": "[green]ok     [/]", "warning": "[yellow]warning[/]", "wrong": "[red]wrong  [/]"}
LEAST_FREE = 200 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Finding:
    """What one look showed, and what to do if it is not well."""

    part: str
    state: State
    text: str
    advice: str = ""


def doctor(context: typer.Context, as_json: JsonOption = False) -> None:
    """Check config, policy, directory, disk, database, audit, sources, index, embeddings, model, sandbox, traces and chats.

    Exit code 0 if all is well or only warned about, 2 if something is wrong. Example: rolecall doctor --json
    """
    findings = run(examine(config_path(context)))
    if as_json:
        show_json({"ok": not _wrong(findings), "findings": [asdict(finding) for finding in findings]})
    else:
        for finding in findings:
            console.print(f"{MARKS[finding.state]} [bold]{finding.part:10}[/] ", end="")
            console.print(finding.text, markup=False, highlight=False)
            if finding.advice:
                console.print(f"{'':19}-> {finding.advice}", style="dim", markup=False, highlight=False)
    if _wrong(findings):
        raise typer.Exit(2)


def _wrong(findings: list[Finding]) -> bool:
    return any(finding.state == "wrong" for finding in findings)


async def examine(config: Path) -> list[Finding]:
    """Look at each part in the order in which they depend on each other; a broken one does not hide the next."""
    try:
        settings, base = parts.settings_of(config), config.parent
    except ConfigError as error:
        return [Finding("config", "wrong", str(error), "see docs/settings.md")]
    looks: list[tuple[str, Callable[[Settings, Path], Awaitable[Finding]]]] = [
        ("policy", _policy),
        ("directory", _directory),
        ("disk", _disk),
        ("database", _database),
        ("audit", _audit),
        ("sources", _sources),
        ("index", _index),
        ("embeddings", _embeddings),
        ("model", _model),
        ("sandbox", _sandbox),
        ("traces", _traces),
    ]
    findings = [Finding("config", "ok", str(config))]
    for part, look in looks:
        try:
            findings.append(await look(settings, base))
        except (BotError, ConfigError) as error:
            findings.append(Finding(part, "wrong", str(error), _advice(part, settings)))
    return [*findings, *await _chats(settings)]


def _advice(part: str, settings: Settings) -> str:
    """What to do about a part that does not work at all, unless its error says it: that of the embedded index does."""
    database = (
        "PostgreSQL: whether it runs, and user, name and PGPASSWORD" if settings.database else "the folder `data`"
    )
    server = "look at `index.url` and `index.key`; a server that holds nothing yet needs `rolecall sync` with a key that writes"
    return {
        "policy": "`rolecall policy check` after each change; docs/roles.md",
        "directory": "the form of the file is in docs/settings.md",
        "database": f"look at {database}",
        "audit": f"put the key where `audit.key` says; look at {database}",
        "sources": "look at `sources:`, docs/settings.md",
        "index": server if settings.index.engine == "server" else "",
        "embeddings": "name `embedded`, or a model whose files are here",
        "model": "look at `model.url`, `model.key` and `model.name`; the server lists its models under /models"
        if settings.model.provider == "openai"
        else "name `embedded`, or a model whose files are here",
    }.get(part, "")


async def _chats(settings: Settings) -> list[Finding]:
    """What the chat platforms say of Rolecall. What a platform needs is imported only if it is configured."""
    findings: list[Finding] = []
    if settings.doors.slack is not None:
        from bot.doorways.slack import look_at_slack

        told = await look_at_slack(settings.doors.slack)
        findings += [Finding("slack", state, text, advice) for state, text, advice in told]
    if settings.doors.teams is not None:
        from bot.doorways.teams import checked, problems

        try:
            findings += [Finding("teams", *one) for one in await problems(checked(settings))]
        except ConfigError as error:
            findings.append(Finding("teams", "wrong", str(error), "see docs/teams.md"))
    if settings.doors.webhook is not None:
        findings.append(await _webhook(settings.doors.webhook))
    return findings or [Finding("tokens", "ok", "no chat platform is configured")]


async def _webhook(chosen: WebhookSettings) -> Finding:
    from bot.doorways.webhook import look_at_webhook

    try:
        problem = await look_at_webhook(chosen)
    except ConfigError as error:
        return Finding("webhook", "wrong", str(error), "put the secret where `doors.webhook.secret` says")
    if problem:
        advice = "look whether the chat listens at `doors.webhook.url` and knows the same secret; docs/webhook.md"
        return Finding("webhook", "wrong", problem, advice)
    return Finding("webhook", "ok", f"{chosen.url} takes signed calls")


async def _policy(settings: Settings, base: Path) -> Finding:
    policy = parts.policy_of(settings, base)
    return Finding("policy", "ok", f"{settings.policy}: {len(policy.roles)} roles, {len(policy.labels)} labels")


async def _directory(settings: Settings, base: Path) -> Finding:
    directory = parts.directory_of(settings, base)
    if directory is None:
        advice = "set `directory:` to ask from the terminal"
        return Finding("directory", "warning", "none: the terminal knows nobody", advice)
    return Finding("directory", "ok", f"{len(directory.people())} people, {len(directory.rooms())} rooms")


async def _disk(settings: Settings, base: Path) -> Finding:
    """Where Rolecall writes, which may be another disk than that of the settings."""
    folder = parts.data_of(settings, base)
    free = shutil.disk_usage(folder).free
    if not os.access(folder, os.W_OK):
        return Finding(
            "disk", "wrong", f"{folder} cannot be written", "let this user write there, or name another `data`"
        )
    if free < LEAST_FREE:
        return Finding(
            "disk", "wrong", f"{free >> 20} MB free in {folder}", f"at least {LEAST_FREE >> 20} MB are needed"
        )
    return Finding("disk", "ok", f"{free >> 30} GB free in {folder}")


async def _database(settings: Settings, base: Path) -> Finding:
    from connectors.database import SqlRecords, described

    async with parts.open_engine(settings, base) as engine:
        about, known = await described(engine), await SqlRecords(engine).all()
    failed = [record.id for record in known.values() if record.state == "failed"]
    if failed:
        return Finding(
            "database",
            "warning",
            f"{about}: {len(known)} documents, {len(failed)} failed: {', '.join(failed[:3])}",
            "rolecall sync",
        )
    return Finding("database", "ok", f"{about}: {len(known)} documents")


async def _audit(settings: Settings, base: Path) -> Finding:
    keyed = parts.audit_keys(settings)[0] is not None
    async with parts.open_journal(settings, base) as journal:
        found = await journal.end()
    if found.problem:
        return Finding(
            "audit", "wrong", found.problem, "`rolecall audit verify` goes through all of it; docs/operations.md"
        )
    key = "the chain has a key" if keyed else "no key: who may write the database can make the chain anew"
    return Finding("audit", "ok", f"{key}; {found.rows} rows", "" if keyed else "set `audit.key`; docs/settings.md")


async def _sources(settings: Settings, base: Path) -> Finding:
    if not settings.sources:
        return Finding("sources", "warning", "none", "name a folder under `sources:`")
    away = [source for source in settings.sources if not (base / source.path).exists()]
    if away and settings.index.engine == "server":
        advice = "that is well where only the bot runs, which reads the index alone; `rolecall sync` must find them"
        return Finding("sources", "warning", f"{away[0].name}: {base / away[0].path} is not here", advice)
    counts = [
        f"{source.name}: {sum(1 for _ in source.list())} files" for source in parts.sources_of(settings, base).values()
    ]
    return Finding("sources", "ok", ", ".join(counts))


async def _index(settings: Settings, base: Path) -> Finding:
    """Whether it can be searched. The embedded one cannot be opened beside a running bot, which has it then and is well."""
    try:
        async with parts.open_index(settings, base) as index:
            passages = await index.count()
            await index.search("anything", for_everyone([frozenset({"company"})]), 1)
    except IndexHeld as held:
        return Finding("index", "ok", f"{settings.index.engine}: in use ({held.holder}), so it was not looked into")
    if not passages:
        return Finding("index", "warning", f"{settings.index.engine}: empty", "rolecall sync")
    if settings.index.engine == "server" and await asyncio.to_thread(parts.key_may_write, settings):
        advice = "give the bot a key that only reads, and this one to sync"
        return Finding("index", "warning", f"server: {passages} passages, and the key may write", advice)
    only = ", and the key may only read" if settings.index.engine == "server" else ""
    return Finding("index", "ok", f"{settings.index.engine}: {passages} passages{only}")


async def _embeddings(settings: Settings, base: Path) -> Finding:
    size = len(parts.embeddings_of(settings).embed_query("ready"))
    return Finding("embeddings", "ok", f"{settings.embeddings.name}: {size} dimensions")


async def _model(settings: Settings, base: Path) -> Finding:
    model = parts.model_of(settings, base)
    reply = await model.chat.ainvoke("Say yes.", max_tokens=4)
    if not reply.text:
        return Finding("model", "warning", f"{model.name} answered with nothing", "try another model")
    if not model.capable:
        advice = "fine for a first look; name a bigger one under `model:` for real use"
        return Finding("model", "warning", f"{model.name} answers, but is small", advice)
    return Finding("model", "ok", f"{model.name} answers")


async def _traces(settings: Settings, base: Path) -> Finding:
    from connectors.monitoring.traces import collector_problem

    url = settings.monitoring.traces
    if url is None:
        return Finding("traces", "ok", "none are sent")
    if problem := await collector_problem(url):
        advice = "look whether a collector takes OTLP over HTTP at `monitoring.traces`; until then traces are dropped"
        return Finding("traces", "warning", problem, advice)
    return Finding("traces", "ok", f"{url} takes them")


async def _sandbox(settings: Settings, base: Path) -> Finding:
    """Which tier holds here; a better one that does not is named with the reason."""
    sandbox = await asyncio.to_thread(toolbox.sandbox_of, settings)
    why = "; ".join(f"{tier}: {reason}" for tier, reason in sandbox.reasons.items())
    if not sandbox.languages:
        reason = why or "it is switched off"
        return Finding("sandbox", "warning", f"none: code is never run ({reason})", "docs/sandbox.md")
    text = f"{sandbox.tier} runs {', '.join(sorted(sandbox.languages))}"
    return Finding("sandbox", "ok", text, f"not {why}" if why else "")

"""What the middle needs from the world, as protocols. The connectors implement them; tests/fakes.py does too."""

from bot.ports.chat import ChatDoor, Place, Post, PostKind
from bot.ports.delivery import (
    AuditEntry,
    Claim,
    Ended,
    Inbox,
    Journal,
    Monitor,
    Opinion,
    Queue,
    Quota,
    Remembered,
    Verdict,
    Withdrawal,
)
from bot.ports.documents import DocumentRecord, Index, IndexWriter, Listed, Records, RecordState, Source, SyncRun
from bot.ports.people import Directory, Threads
from bot.ports.turn import Assistant, Ending, FileReader, Finding, Language, Linter, Program, Ran, Sandbox

__all__ = [
    "Assistant",
    "AuditEntry",
    "ChatDoor",
    "Claim",
    "Directory",
    "DocumentRecord",
    "Ended",
    "Ending",
    "FileReader",
    "Finding",
    "Inbox",
    "Index",
    "IndexWriter",
    "Journal",
    "Language",
    "Linter",
    "Listed",
    "Monitor",
    "Opinion",
    "Place",
    "Post",
    "PostKind",
    "Program",
    "Queue",
    "Quota",
    "Ran",
    "RecordState",
    "Records",
    "Remembered",
    "Sandbox",
    "Source",
    "SyncRun",
    "Threads",
    "Verdict",
    "Withdrawal",
]

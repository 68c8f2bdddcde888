"""Errors have an addressee: the admin at start, or the person who asked. Everything else is a bug and travels on."""


class ConfigError(Exception):
    """Speaks to the admin: names the file, the line, the key and the valid choices. One line, exit code 2."""


class BotError(Exception):
    """Speaks to the person who asked; its words are safe to show. Exit code 1 on the command line."""


class UnreadableDocument(Exception):
    """A source could not read one document. Its words are the reason that the sync report shows."""


class IndexUnavailable(BotError):
    """Qdrant cannot be reached, or not by this process. Never answered from anywhere else."""


class IndexHeld(IndexUnavailable):
    """The embedded index is in use by another process of ours; `holder` says by which."""

    def __init__(self, message: str, holder: str):
        super().__init__(message)
        self.holder = holder


class ModelUnavailable(BotError):
    """The model cannot be loaded or reached."""


class DoorUnavailable(Exception):
    """A chat platform did not take a post; nothing was shown, or nothing is known. `retry_after` is in seconds."""

    def __init__(self, reason: str, retry_after: float = 0.0):
        super().__init__(reason)
        self.retry_after = retry_after


class Undeliverable(Exception):
    """A chat platform will never take this post: the room is gone, or Rolecall was removed from it."""

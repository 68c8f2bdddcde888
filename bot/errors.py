"""Errors have an addressee: the admin at start, or the person who asked. Everything else is a bug and travels on."""


class ConfigError(Exception):
    """Speaks to the admin: names the file, the line, the key and the valid choices. One line, exit code 2."""


class BotError(Exception):
    """Speaks to the person who asked; its words are safe to show. Exit code 1 on the command line."""


class UnreadableDocument(Exception):
    """A source could not read one document. Its words are the reason that the sync report shows."""


class IndexUnavailable(BotError):
    """Qdrant cannot be reached or is held by another process. Never answered from anywhere else."""


class ModelUnavailable(BotError):
    """The model cannot be loaded or reached."""

"""The Slack door, on slack-bolt: the only room that knows Slack's events, methods and blocks. It decides nothing."""

NAME = "slack"
EVENT_TYPE = "rolecall"
"""The type of the metadata by which our messages are found again."""

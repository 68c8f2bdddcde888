"""Where Microsoft's services are, and which addresses are Microsoft's: a token never goes anywhere else."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

CHANNEL = "msteams"
CONNECTOR_SCOPE = "https://api.botframework.com/.default"
GRAPH_SCOPE = "https://graph.microsoft.com/.default"
ISSUER = "https://api.botframework.com"
_CONNECTOR = "smba.trafficmanager.net"  # exactly: anybody can register another name below trafficmanager.net
_CONNECTORS = ".botframework.com"
_DOWNLOADS = ".sharepoint.com"


@dataclass(frozen=True, slots=True)
class Endpoints:
    """`loopback` also takes plain addresses of this machine for Microsoft's: for a Teams client that runs here."""

    metadata: str = "https://login.botframework.com/v1/.well-known/openidconfiguration"
    authority: str = "https://login.microsoftonline.com"
    graph: str = "https://graph.microsoft.com/v1.0"
    loopback: bool = False

    def serves(self, url: str) -> bool:
        """Whether a service URL is the Bot Connector's."""
        host = self._host(url)
        return bool(host) and (host == _CONNECTOR or host.endswith(_CONNECTORS) or (self.loopback and _here(host)))

    def keeps_files(self, url: str) -> bool:
        """Whether people's files may be fetched from a URL, or put there."""
        host = self._host(url)
        return bool(host) and (host.endswith(_DOWNLOADS) or (self.loopback and _here(host)))

    def _host(self, url: str) -> str:
        """The host of a plain https URL; nothing if it has a user, another port or a backslash in it."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            return ""
        host = parts.hostname or ""
        if "@" in parts.netloc or "\\" in url or not url.isascii() or any(char <= " " for char in url):
            return ""
        if self.loopback and _here(host):
            return host
        return host if parts.scheme == "https" and port in (None, 443) else ""


def _here(host: str) -> bool:
    return host == "127.0.0.1"


PUBLIC = Endpoints()

"""The one gateway to Qdrant: embedded (Edge) or a server."""

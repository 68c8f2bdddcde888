"""Chat doors: a platform's event becomes a Message, an answer becomes the platform's calls."""

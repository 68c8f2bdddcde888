"""Chat models and embeddings, in this process or behind an OpenAI-compatible URL."""

"""Who is asking, who will read, and what may be shown to all of them."""

"""From a message to one posted answer."""

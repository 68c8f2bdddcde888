"""The command line, one file a group of commands. Only here, and in `wiring`, is the world read."""

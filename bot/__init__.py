"""The middle: decides who may see what, and answers. It opens no file, socket or clock of its own."""

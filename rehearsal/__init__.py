"""A rehearsal of the whole deployment on this machine."""

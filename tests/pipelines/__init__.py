"""Pipelines: what the hosts' files say, and what runs when they are executed."""

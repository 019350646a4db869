"""Pipelines executed on this machine: the hosts' own files, real stages, and a rehearsal in the place of AWS."""

"""Tests, one file per module: offline and fast unless marked otherwise."""

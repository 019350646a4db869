"""Every command that the project tells somebody is read, taken apart, and held against the program that it calls."""

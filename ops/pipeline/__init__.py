"""The stages of a pipeline: whichever host runs them, they are `make ci-STAGE`, and nothing of them is in its files."""

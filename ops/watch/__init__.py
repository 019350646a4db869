"""The watch: what a stack's function counts once a minute. Python and boto3 only: that is all it ships with."""

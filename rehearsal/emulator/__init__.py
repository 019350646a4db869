"""MiniStack and the AWS rules that it does not keep by itself. Imports nothing outside this package."""

"""MiniStack and the AWS rules that it does not keep by itself. Imports only this package and rehearsal.cloudwatch."""

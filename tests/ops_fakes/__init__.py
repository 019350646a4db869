"""AWS in memory for the tests of ops.

Requests are validated by botocore against AWS's own service models, and so are the answers given here: a misspelt
parameter or a made-up field fails the test.
"""

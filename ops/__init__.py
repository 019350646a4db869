"""What an operator does to a stack of Pactum, as commands: `python -m ops`.

The Pulumi program runs these same commands inside an update, so a person can run exactly what the update runs.
Talks to AWS through boto3 only and never imports pulumi: it must work when the state is locked or lost.
"""

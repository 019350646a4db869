"""The components that make up a stack of Pactum on AWS, one file per concern. No boto3 here."""

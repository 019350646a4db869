"""A `pulumi` that updates a rehearsal in place of AWS: only what pipelines' stages call, and never on a user's PATH."""

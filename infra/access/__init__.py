"""Who may do what: policy documents as plain functions, the roles of pipelines, and what bounds a stack's own roles."""

"""The programs: how components become a stack."""

"""What no stack may be made with: rules as plain functions, for the composition, unit tests and a policy pack."""

"""The policy pack: `pulumi up --policy-pack infra/guardrails/pack`."""

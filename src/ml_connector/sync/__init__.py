"""The engine: stage, resolve, check, deliver, recover, sweep, replay; its models and queries."""

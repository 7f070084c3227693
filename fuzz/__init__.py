"""Fuzzing the way from bytes to events: ``nox -s fuzz``. No test module, and not shipped."""

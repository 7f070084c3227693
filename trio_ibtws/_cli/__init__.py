"""The parts of the command line: one module a command, and what they share."""

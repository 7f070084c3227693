"""The hand-written machinery between ibapi and the user: see ``docs/theory.md`` for how a tick and an order travel."""

"""Writes ``trio_ibtws/_gen`` from the hand-written table in ``spec.py`` and what the releases of ibapi look like.

Never imported by ``trio_ibtws``. In the order in which the data flows:

    record      ibapi as installed       -> releases/<version>.json   (signatures and facts, no text of IB's)
    releases    releases/*.json          -> Release
    spec, rows  the table, the only thing that a maintainer edits
    check       table + releases         -> what they contradict each other in
    resolve     table + releases         -> Model     (with callbacks: the events, methods: the functions)
    emit_*      Model                    -> text of a generated file
    files       text                     -> formatted, then written or compared

For a new release of ibapi: install it, ``python -m generator --record`` (it prints what is new), then add rows until
``python -m generator`` finds nothing left out, and commit what it wrote.
"""

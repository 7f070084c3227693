"""Writes ``trio_ibtws/_gen`` from the hand-written table in ``spec.py`` and what the releases of ibapi look like.

Never imported by ``trio_ibtws``. In the order in which the data flows:

    record     ibapi as installed        -> releases/<version>.json   (signatures and facts, no text of IB's)
    releases   releases/*.json           -> Release
    spec, rows the table a maintainer edits
    resolve    table + releases          -> Model, or a TableError that names every wrong row
    emit_*     Model                     -> text of one generated file each
    files      text                      -> formatted, written or compared
"""

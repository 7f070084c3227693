"""Orders and account state over the generated requests; what is public of it stands in ``trio_ibtws``.

From the bottom up, and downwards only: ``_states`` (what an order can be, what is told of it), ``_fills``,
``_record`` (one order, no I/O), ``_trade`` (its handle), ``_identity`` (whose event is it), ``_journal`` (over
``_journal_rows`` and ``_journal_file``), ``_limits``, ``_link``, ``_preview``, ``_reconcile``, ``_dealer``,
``_book``. ``_views`` and ``_state`` stand beside them.
"""

from __future__ import annotations

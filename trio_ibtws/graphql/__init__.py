"""TWS as a GraphQL service."""

from __future__ import annotations

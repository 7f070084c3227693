"""Requests about the session itself: clocks, ids, accounts, settings, and the groups of TWS's own windows."""

from __future__ import annotations

from ..model import Family, Row

SESSION = Family(
    "session",
    "SessionRequests",
    "the session itself",
    (
        Row(
            "reqCurrentTime",
            "one",
            "Return TWS's clock in seconds since the epoch.",
            items=("currentTime",),
            notes="TWS leaves requests unanswered that follow each other too closely: they are spaced out here.",
        ),
        Row(
            "reqCurrentTimeInMillis",
            "one",
            "Return TWS's clock in milliseconds since the epoch.",
            items=("currentTimeInMillis",),
            notes="TWS leaves requests unanswered that follow each other too closely: they are spaced out here.",
        ),
        Row(
            "reqIds",
            "one",
            "Return the lowest order id that TWS would take now.",
            items=("nextValidId",),
            yields="int",
            notes="Order ids are allocated by ``place_order``; TWS ignores *num_ids*.",
        ),
        Row(
            "reqManagedAccts",
            "one",
            "Return the accounts of this login as TWS gives them: one string with commas.",
            items=("managedAccounts",),
            yields="str",
        ),
        Row(
            "reqUserInfo",
            "one",
            "Return the white-branding id of the user, empty for most.",
            items=("userInfo",),
        ),
        Row(
            "setServerLogLevel",
            "send",
            "Set how much TWS writes into its API log: 1 system, 2 error, 3 warning, 4 information, 5 detail.",
            effect="session",
        ),
        Row(
            "reqConfigProtoBuf",
            "one",
            "Return the settings of TWS's API as its protobuf message ConfigResponse.",
            items=("configResponseProtoBuf",),
            message="ConfigRequest",
            constants={"configRequestProto": None},
            since="10.43",
        ),
        Row(
            "updateConfigProtoBuf",
            "one",
            "Change settings of TWS's API; return its protobuf message UpdateConfigResponse.",
            items=("updateConfigResponseProtoBuf",),
            message="UpdateConfigRequest",
            types={"updateConfigRequestProto": "Message"},
            notes="Takes a protobuf message UpdateConfigRequest of ibapi; its reqId is filled in here.",
            effect="trade",
            since="10.44",
        ),
        Row(
            "queryDisplayGroups",
            "one",
            "Return the ids of TWS's display groups, a string with bars between them.",
            items=("displayGroupList",),
        ),
        Row(
            "subscribeToGroupEvents",
            "stream",
            'Subscribe to the contract that a display group of TWS shows: ``"conid@exchange"`` or ``"none"``.',
            items=("displayGroupUpdated",),
            cancel="unsubscribeFromGroupEvents",
            update="updateDisplayGroup",
            notes="The stream's ``update(contract_info)`` makes the group show another contract.",
        ),
        Row(
            "updateDisplayGroup",
            "part",
            "Make the display group of a subscription show another contract.",
            effect="session",
        ),
    ),
)

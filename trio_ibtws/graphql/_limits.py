"""Every limit of the GraphQL service in one place, with its unit and the reason for its number.

A limit is checked before what it bounds is done: a text's before it is parsed, a document's before it is validated,
an answer's while it is made. The defaults are those of the well-known hardening tools (GraphQL Armor, Apollo Router,
Hasura) where those have one, and what TWS needs where they do not: IB's answers are wide, flat lists.
"""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How much one request, one connection and one token may ask for. All numbers are inclusive.

    Raises:
      ValueError: a number is not positive.

    Attributes:
      body_bytes: the body of one HTTP request.
      query_chars: the text of one query, in characters.
      tokens: lexical tokens in one query. It bounds the time that parsing and validation take.
      brackets: how deep brackets of any kind nest in one query.
      depth: how deep fields nest, fragments expanded.
      introspection_depth: the same below ``__schema`` and ``__type``; GraphiQL's own query needs 13.
      aliases: aliases in one query.
      directives: directives in one query.
      root_fields: fields at the root of one operation, fragments expanded.
      fragments: fragment definitions in one query.
      repeats: how often one response name is selected in one query. Validation compares those in pairs.
      cost: of one operation, fragments expanded: 2 for a field that has fields, 1 for one that has not.
      variables: variables that one operation declares.
      variable_depth: how deep lists and objects nest in the values of the variables.
      variable_values: values of all kinds in the variables, counted together.
      list_items: items of one list in an argument or in a variable.
      rows: items of flat lists in one response, such as bars: objects without objects in them count here alone.
      nodes: all other objects in one response.
      introspection_nodes: objects in the answer to an introspection query.
      errors: errors in one response.
      response_bytes: one response as JSON, whatever is in it. 10 000 bars are about 1.5 MB.
      documents: parsed and validated queries that are kept.
      document_tokens: tokens in the queries that are kept, all together: 0.6 kB of memory each.
      body_seconds: how long a client may take to send a request's body.
      operation_seconds: how long one query may run. TWS gathers a snapshot for up to eleven.
      mutation_seconds: how long a mutation may be without an outcome.
      turn_seconds: how long an operation waits for others to end when as many as may be are under way.
      operations: queries and mutations at one time, for one token.
      requests_per_second: operations per second, for one token.
      requests_burst: operations at once before that rate holds.
      mutations_per_second: mutations per second, for one token.
      mutations_burst: mutations at once before that rate holds.
      failures_per_minute: wrong tokens per minute before the peer is told to wait.
      connections: HTTP connections at one time.
      sockets: websockets and event streams at one time, those of clients that have brought the token.
      newcomers: websockets without a session yet. One more, and the one that has waited longest is closed.
      subscriptions: subscriptions on one websocket.
      message_bytes: one websocket message from a client.
      init_seconds: how long a websocket may wait with ``connection_init``.
      ping_seconds: how often a websocket is pinged.
      pong_seconds: how long a client may take to answer a ping.
      send_seconds: how long a client may leave what was sent to it unread.
      events: events that wait for one subscriber, where it does not say how many.
      buffer: the most that a subscriber may ask for as its buffer.
    """

    # what comes in
    body_bytes: int = 64 * 1024
    query_chars: int = 10_000
    tokens: int = 1_000
    brackets: int = 20
    depth: int = 8
    introspection_depth: int = 20
    aliases: int = 15
    directives: int = 10
    root_fields: int = 10
    fragments: int = 20
    repeats: int = 40
    cost: int = 1_000
    variables: int = 50
    variable_depth: int = 10
    variable_values: int = 2_000
    list_items: int = 200

    # what goes out
    rows: int = 10_000
    nodes: int = 2_000
    introspection_nodes: int = 100_000
    errors: int = 10
    response_bytes: int = 4 * 1024 * 1024

    # what is kept
    documents: int = 64
    document_tokens: int = 16_000

    # time and company
    body_seconds: float = 5
    operation_seconds: float = 20
    mutation_seconds: float = 60
    turn_seconds: float = 5
    operations: int = 8
    requests_per_second: float = 20
    requests_burst: int = 40
    mutations_per_second: float = 2
    mutations_burst: int = 5
    failures_per_minute: int = 5
    connections: int = 64

    # websockets
    sockets: int = 10
    newcomers: int = 10
    subscriptions: int = 20
    message_bytes: int = 64 * 1024
    init_seconds: float = 3
    ping_seconds: float = 15
    pong_seconds: float = 10
    send_seconds: float = 10
    events: int = 256
    buffer: int = 10_000

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not value > 0:
                raise ValueError(f"Limits({field.name}={value!r}): a limit is a number above 0")

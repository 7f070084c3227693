"""Benchmarks: this library beside its peers, in one go, against the same server process on the loopback interface.

``nox -s bench`` or ``python -m benchmarks``. Downwards: ``__main__`` (the command) uses ``suite`` (what is measured),
``runner`` (every measurement is a process of its own) and ``report`` (tables and plot). ``feeder`` is the server;
``contender`` is the process of one measurement, and hands its job to ``ours``, ``peer``, ``stock`` or ``bare``.
"""

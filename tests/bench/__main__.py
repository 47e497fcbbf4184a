"""`make bench`: how long the road takes on this machine. Prints a table and writes bench/results.json.

The emulator runs in a process of its own over TLS, without throttling; the figures are the product's own cost plus a
local service's, not Microsoft's latency. Each figure is the median of RUNS runs after a warm-up where one applies.
"""

import os

import django

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    from tests.bench.road import main

    main()

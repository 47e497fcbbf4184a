"""Round trips: whatever an intruder does to a resource of any type is detected, planned, rolled back and verified.

A module in `cases/` declares, for each type, which object of the seeded tenant is attacked and how: every writable
property, creation, deletion, every sub-collection. What Microsoft's API makes impossible is listed with the reason.
`test_roundtrips.py` plays them all; `test_completeness.py` sees to it that nothing is left out; `table.py` writes the
docs page of what is proven by which test.
"""

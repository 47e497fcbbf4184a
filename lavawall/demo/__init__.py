"""The demo: an incident with a stolen administrator session, from the attack to the verified rollback."""

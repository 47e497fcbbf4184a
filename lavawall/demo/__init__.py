"""The demo: a stolen administrator's session, from the attack to the verified rollback."""

"""What a rollback is asked to bring back, and what that involves."""

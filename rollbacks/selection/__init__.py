"""What a rollback is asked to restore, and what that involves."""

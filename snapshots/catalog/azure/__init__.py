"""Resource types of Azure subscriptions."""

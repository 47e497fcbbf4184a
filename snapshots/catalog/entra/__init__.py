"""Resource types of Microsoft Entra ID."""

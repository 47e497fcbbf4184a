"""Resource types of Microsoft Intune."""

"""What must not be forged or read: keys, sealed rows, append-only tables, the ledger."""

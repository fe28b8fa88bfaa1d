"""What is written to SYSPRO: one module per business object for its documents, one per record type for its Target."""

"""Webhooks in: what arrives (receiving), what is read for it (reading), and the subscription (keeping)."""

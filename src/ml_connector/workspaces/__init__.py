"""Workspaces: tenancy in one place. Every row of a customer's data belongs to one Workspace."""

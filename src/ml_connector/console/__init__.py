"""The console: web pages for the people of a Workspace. No business logic: it shows queries and calls the engine."""

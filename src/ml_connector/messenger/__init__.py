"""The program that sends one message: by mail, to Slack, to Teams, or to a webhook.

A process of its own, so that Apprise and what it imports are loaded for a second at a time and never into a worker,
and so that the guard on addresses can stand below every library. It knows neither database nor settings: the
message comes by standard input as JSON, the outcome leaves by standard output.
"""

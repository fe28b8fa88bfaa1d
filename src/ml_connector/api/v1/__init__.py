"""The JSON API, version 1. Imported by the web process alone: what it stands on takes long to import.

frame        what every call goes through: token, scope, limit, transaction, trail
failures     what is answered instead, as RFC 9457 has it
paging       cursors
shapes       what is answered and taken, as the schema says it
document     the OpenAPI document
the rest     the operations, each calling what the console and the command line call
"""

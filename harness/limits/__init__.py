"""Limit probes: what a server does at the limits that it is given, and beyond them.

`settings` names the limits; `model` says what a probe is; `probes/` holds them, a module a family; `peer` is the client
that they drive, `meter` looks at the server meanwhile, `judge` holds what several families judge by, and `engine` runs
them. docs/limits.md tells what is measured and how it is judged.
"""

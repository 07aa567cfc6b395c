"""The probes, a module a family."""

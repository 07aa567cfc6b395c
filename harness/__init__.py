"""The harness: starts implementations, runs engines against them, records what came of it."""

__version__ = "0.1.0"

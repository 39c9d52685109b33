"""The command line."""

from graphflow.cli.app import main

__all__ = ["main"]

"""``python -m pellucid`` is the command line."""

from pellucid.apps.cli.root import run

run()

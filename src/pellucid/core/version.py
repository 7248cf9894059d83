"""The version of the package: one place, read by the build, the model file and ``pellucid --version``."""

__version__ = "0.1.0"

"""The parts of ``tools/check_trace.py``: the formulas of a trace in plain Python, without the package."""

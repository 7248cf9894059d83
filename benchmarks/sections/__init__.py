"""What is measured: a section of RESULTS.md a file.

``python benchmarks/run.py --only NAME`` measures one. Those that end with ``json.dump`` run in a process of their own; for
them ``python -m sections.NAME`` in the folder ``benchmarks`` prints what they find, and writes nothing.
"""

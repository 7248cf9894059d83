"""The studio: a network in the browser, on the real engine, with every number. ``pellucid studio`` opens it.

The server is here (Starlette); the front end is TypeScript in the repository's folder ``web/``, built into ``static/``.
"""

"""The addresses of the page Look inside."""

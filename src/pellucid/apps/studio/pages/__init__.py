"""The addresses of the studio's pages, named as the pages are."""

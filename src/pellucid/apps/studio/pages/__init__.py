"""The routes of the studio's pages; a module has the name of its page."""

"""HTML for whoever shows something on a page or in a notebook: elements, charts and pictures, without any request."""

"""How things look, in text, in HTML and in a notebook: numbers, tables, charts, pictures, pages."""

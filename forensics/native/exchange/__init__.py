"""What is compiled for Exchange: CSV, tracking records, their text, and what becomes of each recipient."""

"""The formats: each lays the same composed report, or the same facts, out in one kind of file."""

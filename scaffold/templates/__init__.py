"""The templates: their declarations, their decisions, and the files that they render."""

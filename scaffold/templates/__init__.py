"""The template: its declarations, what they decide, and the files that it gives."""

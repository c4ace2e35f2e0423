"""Answers to the questions: their sources, their validation, and Docker Compose files as one source."""

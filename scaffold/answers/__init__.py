"""Answers to the questions: their sources, their validation, and files of Docker Compose as one source."""

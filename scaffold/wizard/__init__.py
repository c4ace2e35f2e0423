"""Asking in a terminal."""

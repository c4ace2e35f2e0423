"""Woodpecker's and GitHub's view of the pipeline files in an app's repository."""

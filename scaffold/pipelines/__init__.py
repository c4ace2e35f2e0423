"""The pipeline files in an app's repository, as Woodpecker and GitHub see them."""

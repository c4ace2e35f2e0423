"""What the clone of an app's repository shows about the app: from Git and from its files, never from the
network.
"""

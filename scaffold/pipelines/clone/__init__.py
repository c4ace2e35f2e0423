"""What the clone of an app's repository tells of the app: from Git and from its files, never from the network."""

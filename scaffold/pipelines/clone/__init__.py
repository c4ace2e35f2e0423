"""What the clone of an app's repository shows about the app, from Git and its files, without the network."""

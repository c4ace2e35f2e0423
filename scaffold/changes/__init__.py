"""What is written: the change set, its journal and its commit. All or nothing."""

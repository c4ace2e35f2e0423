"""What is written: the change set, its journal, its commit. All or nothing."""

"""The monorepo in front of us: its stacks, what they say, and the names in use."""

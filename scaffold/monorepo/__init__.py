"""The infra repository in front of us: its stacks, what they tell, the names in use."""

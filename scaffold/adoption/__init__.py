"""Hand-written stacks: the answers that their plans suggest, and how well those answers fit."""

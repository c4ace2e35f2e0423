"""What happens to existing stacks when templates, facts or answers change."""

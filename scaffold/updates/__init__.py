"""What becomes of stacks that exist when templates, facts or answers change."""

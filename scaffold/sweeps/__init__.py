"""Changes of a rule of one's own: what a file declares, as a rule that finds and edits."""

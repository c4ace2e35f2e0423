"""Rules of your own for a sweep: what a file declares, as a rule that finds and edits."""

"""The compiler of the tables, and everything else that is generated. Not part of the wheel."""

"""How results look: for people as text, for programs as JSON. The only prose below ``cli``."""

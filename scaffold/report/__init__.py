"""How results look: as text for people, as JSON for programs. The only prose below ``cli``."""

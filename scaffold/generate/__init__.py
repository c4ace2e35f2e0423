"""The compiler of the tables, and all else that is generated. No part of the wheel."""

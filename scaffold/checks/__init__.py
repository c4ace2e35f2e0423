"""House rules over a parsed stack: one module per family, one class per rule."""

"""Reading HCL, static values and in-place edits: the only importer of HCL parsers."""

"""One module per subcommand: data in, a typed result out; no prompts, no HCL, nothing printed."""

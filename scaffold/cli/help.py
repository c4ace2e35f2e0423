"""Generated from the docstrings of the commands by `python3 dev generate`."""

HELP = """\
Usage: scaffold [OPTIONS] [COMMAND] [ARGS]...

  Create, change and check the Services of a homelab monorepo.

  For example: scaffold new-service --set name=kit --set image=own/kit:1.2.0

Options:
  --version   Show versions (scaffold, templates, Terraform) and exit.
  -h, --help  Show this message and exit.

Commands:
  demo            Create a sample monorepo to try things in.
  init            Write scaffold.yml for your own monorepo.
  new-service     Create everything that a new Service needs.
  change          Change a Service's answers, and all that follows.
  rename          Rename a Service and its index entries.
  next            Show what is left to do before a Service runs.
  restore         Print how to restore a Service's volumes and databases.
  explain         Show the decisions that follow from answers, and why.
  schema          Print the JSON Schema of answer files.
  pipeline        Create the pipeline in the app's own repository.
  plan            Show what Terraform would create for stacks, offline.
  status          Show the state of stacks, those that need attention first.
  check           Check stacks or an app's repository against the rules.
  rule            Explain a rule: what it says, why, and an example.
  sweep           Roll out a rule to many stacks, within its contract.
  index           Show the lists outside the stacks that name Services.
  update          Bring stacks to newer templates, keeping manual edits.
  adopt           Show how well answers describe hand-written stacks.
  remove-service  Remove a Service's stack and its index entries.
  drafts          List Services that were started but not finished.
  doctor          Show which tools, templates and schemas are available.
  skill           Print what a coding agent needs to know.
  completion      Print the completion script for a shell.
  template        Publish the templates for stock Copier.
"""

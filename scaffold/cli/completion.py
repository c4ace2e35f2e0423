"""The command ``completion``: what a shell reads to complete commands, options, stacks, answers and rules."""

from __future__ import annotations

import click


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script for a shell.

    It completes commands, options, stacks, answer keys and rule codes.

    \b
    For bash, in ~/.bashrc:  eval "$(scaffold completion bash)"
    For zsh, in ~/.zshrc:  eval "$(scaffold completion zsh)"
    For fish, in ~/.config/fish/config.fish:  scaffold completion fish | source
    """
    from click.shell_completion import get_completion_class

    from scaffold.cli.group import cli

    made = get_completion_class(shell)
    if made is None:  # the choices are click's own
        raise click.BadParameter(shell)
    click.echo(made(cli, {}, "scaffold", "_SCAFFOLD_COMPLETE").source())

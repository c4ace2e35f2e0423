"""Stacks that were made by hand: the answers that their plans show, and how well those fit."""

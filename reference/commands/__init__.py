"""The commands: a file for each, with `add_parser(commands)` and the function that runs it."""

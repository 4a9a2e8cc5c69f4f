"""What the user has set down once: defaults and named contexts, in a configuration file.

It knows of no command.
"""

"""What every command says and takes: errors and exit codes, output, quantities.

Nothing here knows of calls or of a single command.
"""

# type: ignore  # made by generate_data.sh: not for type checkers, linters and formatters
# ruff: noqa
# fmt: off
__all__ = ['ttypes', 'constants', 'Base', 'EverythingService']

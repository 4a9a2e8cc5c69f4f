# type: ignore  # made by generate_data.sh, without types
__all__ = ['ttypes', 'constants', 'Base', 'EverythingService']

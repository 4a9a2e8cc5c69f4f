__all__ = ['ttypes', 'constants', 'KeyValue']

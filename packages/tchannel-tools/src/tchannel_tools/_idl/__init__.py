"""The Thrift interface of a service: found in files, and shown.

How a service is asked for it is in `_calling`.
"""

"""Calls as they were once made, with their answers: read from captures, kept in files, compared.

A load file has a call on each line; a cassette is that of ``tchannel_testing.vcr``.
"""

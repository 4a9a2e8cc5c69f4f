"""Calls: whom to call and how to connect, one call or many, in each arg scheme.

What the options of a command are called, and what is printed of an answer, is the command's business.
"""

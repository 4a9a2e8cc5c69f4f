"""The man page and the pages of the documents, from the parsers that make ``--help`` as well."""

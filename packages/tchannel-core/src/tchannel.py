"""Imported only where the package ``tchannel`` beside this file has lost its ``__init__.py``.

See ``tchannel/_ground/namesake.py``, which cannot be imported then.
"""

raise ImportError(
    "files of tchannel-core are missing: they went with Uber's distribution 'tchannel', whose files have"
    " the same names, when that was uninstalled. Run `pip uninstall tchannel tchannel-core` and then"
    " `pip install tchannel-core`; docs/migration.md of tchannel-core tells why.",
    name="tchannel",
)

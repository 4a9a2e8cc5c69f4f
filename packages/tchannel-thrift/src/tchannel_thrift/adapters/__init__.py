"""One adapter for each kind of Thrift module: how its types are made, written and read."""

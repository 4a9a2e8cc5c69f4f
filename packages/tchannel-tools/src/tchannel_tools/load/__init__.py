"""``tchannel load``: many calls to a service, measured."""

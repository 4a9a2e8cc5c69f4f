"""Names that no distribution has, for mypy and pyright: they find them although much is imported late."""


def names_that_do_not_exist_are_found() -> None:
    from tchannel_hyperbahn import NoSuchRouter  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownVariableType]
    from tchannel_testing import NoSuchDouble  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownVariableType]
    from tchannel_testing.data import nothing  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownVariableType]
    from tchannel_thrift import NoSuchScheme  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownVariableType]

    print(NoSuchRouter, NoSuchDouble, nothing, NoSuchScheme)

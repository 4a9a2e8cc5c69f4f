"""The Python that the native Thrift codec was written after, by hashes of its source.

When this test fails, look at the C beside the change, change it where need be, and write the new hash.
"""

from tchannel_speedups import thrift

TWINS = {
    "tchannel_thrift.rw.codegen.ways": "1a8c616cdb152a4c",
    "tchannel_thrift.rw.codegen.encoder.dumper_of": "0f5a5a392b8489bd",
    "tchannel_thrift.rw.codegen.encoder._EncoderWriter": "8bd44cef664f541b",
    "tchannel_thrift.rw.codegen.encoder._as_bytes": "b5c97a9025ccf922",
    "tchannel_thrift.rw.codegen.encoder._as_bool": "2b99661cdc56ecaf",
    "tchannel_thrift.rw.codegen.decoder.loader_of": "f64912e30d925564",
    "tchannel_thrift.rw.codegen.decoder.small_size": "ed07e61d3fa6e658",
    "tchannel_thrift.rw.codegen.decoder._large_loader": "67f7c4a42c666058",
    "tchannel_thrift.rw.codegen.decoder._DecoderWriter": "759f08898e7a8947",
    "tchannel_thrift.rw.codegen.constructor.constructor_of": "f5825e96bd7e6625",
    "tchannel_thrift.rw.codegen.constructor._ConstructorWriter": "8d3e88b72d7a52f2",
    "tchannel_thrift.rw.codegen.layout": "4a4f4a9bca407803",
    "tchannel_thrift.rw.codegen.record.ExceptionRecord.__new__": "f162bf6e4a2cf29a",
    "tchannel_thrift.rw.codegen.surface.build_struct": "d713d063190caf48",
    "tchannel_thrift.rw.compile.serialization.make_dumps": "61c2ae5a904369b3",
    "tchannel_thrift.rw.compile.serialization.make_loads": "b1532bdb67d2945a",
    "tchannel_thrift.rw.protocol.binary.BinaryReader": "aee3f22beaf10626",
    "tchannel_thrift.rw.protocol.binary.BinaryWriter": "994bc1f91a9eba8f",
    "tchannel_thrift.rw.protocol.budget": "9812d8210c5b8674",
    "tchannel_thrift.rw.spec.struct.StructTypeSpec": "06b34fc0179b2511",
    "tchannel_thrift.rw.spec.union.UnionTypeSpec": "c00c0259ad325fc4",
    "tchannel_thrift.rw.spec.service.FunctionResultSpec.skip_unknown": "07b57bde5dd40337",
    "tchannel_thrift.rw.spec.field.FieldSpec": "0642f2f70f518840",
    "tchannel_thrift.rw.spec.list.ListTypeSpec": "da29082d6e737663",
    "tchannel_thrift.rw.spec.set.SetTypeSpec": "e7fc76e27ea51173",
    "tchannel_thrift.rw.spec.map.MapTypeSpec": "4e5ebd80e34ec975",
    "tchannel_thrift.rw.spec.enum.EnumTypeSpec": "51ea9d57701529ca",
    "tchannel_thrift.rw.spec.primitive": "d376f09d7680f4ed",
    "tchannel_thrift.rw.spec.memory": "f75ab78b9dcac814",
    "tchannel_thrift.rw.wire.ttype": "016aabe163324e84",
}


def test_no_twin_has_changed_without_a_look_at_its_native_way(changed_twins):
    assert changed_twins(TWINS) == {}


def test_every_function_that_is_replaced_stands_in_the_table():
    modules = {name.rpartition(".")[0] for name in thrift.WAYS.values()}

    assert {f"tchannel_thrift.{name}" for name in modules} <= set(TWINS)

// What thrift_stubs.py is about; `python -m tchannel_thrift stubs keyvalue.thrift` makes its stub.

exception NotFound { 1: required string key }

struct Item {
  1: required string value
  2: optional i64 expires
}

service Health { bool ok() }

service KeyValue extends Health {
  Item getItem(1: required string key) throws (1: NotFound notFound)
  void putItem(1: required string key, 2: required Item item)
}

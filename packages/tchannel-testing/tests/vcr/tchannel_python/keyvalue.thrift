// What the conversations with tchannel-python talk about.

exception NoSuchKey {
  1: required string key
}

service KeyValue {
  string getValue(1: required string key) throws (1: NoSuchKey noSuchKey)
  void setValue(1: required string key, 2: required string value)
}

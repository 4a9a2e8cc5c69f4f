/** The key-value service that every contender with Thrift serves. */

exception NotFound {
  1: required string key
}

struct Point {
  1: required double latitude
  2: required double longitude
}

/** A struct of medium size: scalars of every kind, a nested struct, a list and a map. */
struct Medium {
  1: required bool active
  2: required byte level
  3: required i16 port
  4: required i32 count
  5: required i64 created
  6: required double score
  7: required string name
  8: required string description
  9: required binary token
  10: required Point position
  11: required list<i32> samples
  12: required map<string, i64> totals
}

service KeyValue {
  string getValue(1: required string key) throws (1: NotFound notFound)

  Medium echoMedium(1: required Medium value)
}

// The Thrift service that every peer of these tests serves.

exception NotFound {
    1: required string key
}

exception InvalidKey {
    1: required string key
    2: optional string reason
}

enum Colour {
    RED = 1
    GREEN = 2
}

struct Point {
    1: required i32 x
    2: required i32 y
}

// One field of every type that all the peers' libraries can encode.
struct Everything {
    1: optional bool yes
    2: optional i8 tiny
    3: optional i16 small
    4: optional i32 medium
    5: optional i64 large
    6: optional double real
    7: optional string text
    8: optional binary bytes
    9: optional Colour colour
    10: optional Point point
    11: optional list<Point> points
    12: optional set<i32> numbers
    13: optional map<string, i32> counts
}

service KeyValue {
    // "hello" is there from the start, with the value "world".
    string getValue(1: required string key) throws (1: NotFound notFound)

    // The empty key is invalid.
    void setValue(1: required string key, 2: required string value) throws (1: InvalidKey invalidKey)

    // Always fails in a way that the IDL does not declare.
    i32 crash()

    Everything echo(1: required Everything everything)
}

enum Kind {
    SMALL = 1
    LARGE = 2
}

struct Inner {
    1: required i32 number
    2: optional string text
}

struct Other {
    1: required i32 number
    2: optional string text
}

union Choice {
    1: i32 number
    2: string text
}

union Nothing {}

exception Failure {
    1: required string why
}

struct All {
    1: optional bool flag
    2: optional byte tiny
    3: optional i16 little
    4: optional i32 medium
    5: optional i64 big
    6: optional double ratio
    7: optional string text
    8: optional binary data
    9: optional Kind kind
    10: optional Inner inner
    11: optional Choice choice
    12: optional Failure failure
    13: optional list<i32> numbers
    14: optional set<string> names
    15: optional map<string, i32> counts
    16: optional list<bool> flags
    17: optional set<bool> flagSet
    18: optional map<bool, bool> flagMap
    19: optional list<list<double>> matrix
    20: optional list<Inner> inners
    21: optional map<i16, Choice> choices
    22: optional list<Kind> kinds
    23: optional list<binary> blobs
    24: optional Nothing nothing
}

service Everything {
    All put(1: required All all, 2: optional bool flag, 3: optional Choice choice)
        throws (1: Failure failure)
}

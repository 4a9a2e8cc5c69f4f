include "./shared.thrift"

enum Colour {
    RED = 1
    GREEN = 2
}

exception NotFound {
    1: optional string key
}

exception Expired {
    1: optional i64 at
    2: optional shared.Point where
}

union Answer {
    1: i32 number
    2: string text
}

struct Line {
    1: required shared.Point begin
    2: required list<shared.Point> rest
    3: optional map<string, shared.Point> named
}

service KeyValue extends shared.Base {
    string getValue(1: required string key) throws (1: NotFound notFound, 2: Expired expired)

    void setValue(1: required string key, 2: required string value) throws (1: NotFound notFound)

    void nothing()

    shared.Point move(1: required shared.Point point, 2: optional i32 by)

    Line draw(1: required list<shared.Point> points)

    list<shared.Point> points(1: required i32 count)

    map<string, shared.Point> places()

    bool toBool(1: required string text)
    i32 toNumber(1: required i32 number)
    double toDouble(1: required double number)
    binary toBinary(1: required binary data)
    list<i32> toList(1: required list<i32> numbers)
    map<string, i32> toMap(1: required map<string, i32> numbers)
    set<i32> toSet(1: required set<i32> numbers)
    Colour toColour(1: required Colour colour)
    Answer toAnswer(1: required Answer answer)
}

service Clock {
    i64 now()

    oneway void tick(1: i64 at)
}

// A service that has every type of Thrift, for tests and for playing around.

namespace py tchannel_testing.data.generated.everything

const i32 ANSWER = 42
const list<string> COLORS = ["red", "green"]

typedef string Name
typedef map<Name, i64> Scores

enum Color {
  RED = 1
  GREEN = 2
  BLUE = 4
}

struct Point {
  1: required double x
  2: required double y
}

/** Every type once; all optional, so that any part can be left out. */
struct Everything {
  1: optional bool aBool
  2: optional byte aByte
  3: optional i16 anI16
  4: optional i32 anI32
  5: optional i64 anI64
  6: optional double aDouble
  7: optional string aString
  8: optional binary aBinary
  9: optional Color aColor
  10: optional Name aName
  11: optional Point aPoint
  12: optional list<i32> aList
  13: optional set<string> aSet
  14: optional map<string, i32> aMap
  15: optional Scores scores
  16: optional list<Point> points
  17: optional map<Color, list<string>> nested
  18: optional i32 withDefault = ANSWER
}

union Shape {
  1: Point point
  2: list<Point> polygon
  3: string name
}

exception NotFound {
  1: required string key
  2: optional string message
}

exception Refused {
  1: optional i32 code
}

service Base {
  /** The name of the service that answers. */
  Name whoAreYou()
}

service EverythingService extends Base {
  /** What it was given. */
  Everything echo(1: Everything everything)

  Shape echoShape(1: Shape shape)

  /** A value stored with put; the declared exceptions are answers, too. */
  string get(1: string key) throws (1: NotFound notFound, 2: Refused refused)

  void put(1: string key, 2: string value) throws (1: Refused refused)

  void ping()

  bool isSet(1: bool value)
  byte nextByte(1: byte value)
  i16 nextI16(1: i16 value)
  i32 nextI32(1: i32 value)
  i64 nextI64(1: i64 value)
  double half(1: double value)
  string upper(1: string value)
  binary reverse(1: binary value)
  Color nextColor(1: Color value)
  list<i32> sorted(1: list<i32> values)
  set<string> words(1: string text)
  map<string, i32> count(1: list<string> words)
}

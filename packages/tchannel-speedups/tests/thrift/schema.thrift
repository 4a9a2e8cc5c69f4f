// All that the IDL has, for both ways of writing, reading and constructing it.
enum Color { RED = 1, GREEN = 2, BLUE = 5 }

typedef i64 Stamp

struct Nothing {}

struct Pair {
  1: required i64 high
  2: required i64 low
}

struct Flags {
  1: required bool on
  2: required byte tiny
  3: required i16 small
  4: required double ratio
  5: required Color color
}

struct Keyed {
  1: required list<string> words
  2: optional map<string, i32> counts
}

union Choice {
  1: i32 number
  2: string text
  3: Pair pair
  4: list<string> words
  5: Tree tree
}

exception Failure {
  1: required string why
  2: optional list<Pair> where
  3: optional i32 class
}

struct Tree {
  1: optional list<Tree> children
  2: optional Tree left
  3: optional map<string, Tree> named
  4: optional i32 number
  5: optional Choice choice
}

struct Shuffled {
  700: optional string late
  2: required i16 early = 7
  300: optional set<string> middle
  32767: optional double last
  1: required i32 first
}

struct Deep {
  1: optional list<list<list<i32>>> cube
  2: optional map<string, map<i32, list<Pair>>> maps
  3: optional set<list<string>> frozen
  4: optional map<list<i32>, string> keys
  5: optional set<Keyed> keyed
  6: optional map<Pair, set<Pair>> pairs
  7: optional set<set<binary>> sets
  8: optional map<map<string, i32>, bool> mapped
}

struct Everything {
  1: required bool flag
  2: optional byte tiny
  3: required i16 small = 7
  4: optional i32 number
  5: required Stamp big
  6: optional double ratio
  7: required string name
  8: optional binary blob
  9: optional Color color
  10: optional Pair pair
  11: required list<i32> numbers
  12: optional map<string, string> tags
  13: optional set<string> names
  14: optional list<bool> bools
  15: optional list<double> ratios
  16: optional set<i64> bigs
  17: optional list<string> words = ["x", "y"]
  18: optional list<i32> nothing = []
  19: optional map<string, i32> counts = {}
  20: optional Pair origin = {"high": 1, "low": 2}
  21: optional Choice choice
  22: optional Failure failure
  23: optional list<Color> colors
  24: optional map<Color, Flags> flags
  25: optional Nothing empty
  26: optional list<Nothing> empties
  27: optional Tree tree
  28: optional Deep deep
  29: optional string word = "default"
  30: optional map<i16, byte> bytes
  31: optional Color paint = Color.BLUE
  32: optional list<binary> blobs
}

service Service {
  string get(1: string key, 2: Pair pair) throws (1: Failure failure)
  void ping()
  oneway void cast(1: list<Color> colors)
}

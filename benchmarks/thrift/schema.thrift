enum Color { RED, GREEN, BLUE }

struct Small {
  1: required string text
}

struct Pair {
  1: required i64 high
  2: required i64 low
}

// Twelve fields of mixed types; with the values of workloads.py 413 bytes.
struct Medium {
  1: required bool flag
  2: required byte tiny
  3: required i16 short_
  4: required i32 number
  5: required i64 big
  6: required double ratio
  7: required string name
  8: required binary blob
  9: required Color color
  10: required Pair pair
  11: required list<i32> numbers
  12: required map<string, string> tags
}

struct Many {
  1: required list<Medium> items
}

struct Blob {
  1: required binary data
}

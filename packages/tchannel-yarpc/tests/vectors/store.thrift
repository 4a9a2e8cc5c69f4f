// The service that was recorded in yarpc.txt.
exception MissingEntry {
  1: required string name
} (rpc.code = "NOT_FOUND")

exception Locked {
  1: required string owner
}

struct Entry {
  1: required string name
  2: optional binary blob
  3: optional list<string> tags
  4: optional map<string, i64> counts
}

service Base {
  bool alive()
}

service Store extends Base {
  void put(1: Entry entry)
  Entry fetch(1: string name) throws (1: MissingEntry missing, 2: Locked locked)
  i64 count()
}

struct Point {
    1: required i32 x
    2: required i32 y
}

exception Refused {
    1: optional string why
}

service Base {
    i32 countdown(1: required i32 n) throws (1: Refused refused)
}

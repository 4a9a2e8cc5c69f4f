// What tchannel-go's example service offers, as far as the recording shows it.

exception KeyNotFound {
    1: optional string key
}

exception InvalidKey {
}

service KeyValue {
    string Get(1: required string key) throws (1: KeyNotFound notFound, 2: InvalidKey invalidKey)
    void Set(1: required string key, 2: required string value)
    string HealthCheck()
}

//! One Rust type per Avro schema, the table of topics, and the wire form of records.

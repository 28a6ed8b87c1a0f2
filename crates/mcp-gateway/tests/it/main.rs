//! What callers of the gateway see.

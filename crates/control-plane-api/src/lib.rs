//! REST, streams and the relay from Git to topics.

mod store;

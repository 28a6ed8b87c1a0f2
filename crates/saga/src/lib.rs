//! Durable work from orders: fenced state, intents with deadlines, one outcome.

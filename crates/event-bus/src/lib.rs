//! Kafka with the contract of STOA: producers, consumers, views, dead letters.

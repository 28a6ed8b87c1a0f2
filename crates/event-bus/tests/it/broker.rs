//! The broker that all tests of the binary share.

/// Its address: `STOA_TEST_KAFKA`, or one that is started for this run.
#[expect(clippy::disallowed_methods, reason = "a switch of the tests, not a setting of the product")]
pub(crate) async fn bootstrap_servers() -> String {
    std::env::var("STOA_TEST_KAFKA").unwrap()
}

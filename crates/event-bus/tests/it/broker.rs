//! The broker that all tests of the binary share.

use devstack::Backbone;
use tokio::sync::OnceCell;

/// A broker given from outside, or one that lives as long as this run.
enum Broker {
    Given(String),
    Own { backbone: Option<Box<Backbone>>, _data: tempfile::TempDir },
}

static BROKER: OnceCell<Broker> = OnceCell::const_new();

/// Its address; nothing when this machine cannot have one, which is said on standard error.
pub(crate) async fn bootstrap_servers() -> Option<String> {
    let broker = BROKER.get_or_init(|| async {
        match given() {
            Some(servers) => Broker::Given(servers),
            None => start().await,
        }
    });
    match broker.await {
        Broker::Given(servers) => Some(servers.clone()),
        Broker::Own { backbone, .. } => backbone.as_ref().map(|own| own.kafka().bootstrap_servers()),
    }
}

#[expect(clippy::disallowed_methods, reason = "a switch of the tests, not a setting of the product")]
fn given() -> Option<String> {
    std::env::var("STOA_TEST_KAFKA").ok()
}

/// Starts it on a thread of its own, because the runtime of the first test ends with that test.
async fn start() -> Broker {
    let (send, started) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(async {
            let data = tempfile::tempdir().unwrap();
            let backbone = Backbone::for_test(env!("CARGO_PKG_NAME"), data.path()).await;
            assert!(send.send(Broker::Own { backbone: backbone.map(Box::new), _data: data }).is_ok());
            std::future::pending::<()>().await;
        });
    });
    started.await.unwrap()
}

//! A server of a few lines: answers each connection's first request with fixed bytes.

use std::sync::Arc;

use runtime::Lifecycle;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    sync::mpsc,
};

/// Serves `answer` until the lifecycle ends; gives the address and the heads of the requests.
pub(crate) async fn serve(lifecycle: &Lifecycle, answer: &str) -> (String, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (sender, receiver) = mpsc::unbounded_channel();
    let answer: Arc<str> = answer.into();
    lifecycle.spawn("server", async move {
        loop {
            let (mut connection, _) = listener.accept().await?;
            let mut head = vec![0; 4096];
            let length = connection.read(&mut head).await?;
            head.truncate(length);
            // The receiver may have been dropped; then nobody asks.
            let _ = sender.send(String::from_utf8_lossy(&head).into_owned());
            connection.write_all(answer.as_bytes()).await?;
        }
        #[expect(unreachable_code, reason = "names the type of the errors above")]
        Ok::<_, std::io::Error>(())
    });
    (address, receiver)
}

//! A client that costs little, so that what is measured is the server: written requests, answers read and dropped.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// A connection that is kept.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("a connection");
        stream.set_nodelay(true).expect("a TCP connection");
        Self { stream, buffer: vec![0; 256 << 10] }
    }

    /// Sends a request, and reads its answer to the end; tells how long the body was.
    pub(crate) async fn call(&mut self, request: &[u8]) -> usize {
        self.stream.write_all(request).await.expect("the request leaves");
        let mut filled = 0;
        let head = loop {
            filled += self.read(filled).await;
            let end = self.buffer[..filled].windows(4).position(|bytes| bytes == b"\r\n\r\n");
            if let Some(end) = end {
                break end + 4;
            }
        };
        let length = length(&self.buffer[..head]);
        let mut came = filled - head;
        while came < length {
            came += self.read(0).await;
        }
        assert_eq!(came, length, "an answer ends where it says");
        length
    }

    async fn read(&mut self, from: usize) -> usize {
        let read = self.stream.read(&mut self.buffer[from..]).await.expect("an answer");
        assert!(read > 0, "the connection was closed");
        read
    }
}

/// The length of the body, as the head of a good answer tells it.
fn length(head: &[u8]) -> usize {
    let head = std::str::from_utf8(head).expect("a plain head");
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    let lines = head.lines().filter_map(|line| line.split_once(": "));
    let mut lengths = lines.filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let length = lengths.next().and_then(|(_, value)| value.parse().ok());
    length.unwrap_or_else(|| panic!("no length in {head}"))
}

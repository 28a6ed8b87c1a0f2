//! Asks a broker whether it serves, in the four fields of Kafka's protocol that this takes.

use std::{net::Ipv4Addr, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// How long one question may take.
const PATIENCE: Duration = Duration::from_secs(1);

/// No metadata answer of a single node without topics is longer.
const LONGEST_ANSWER: usize = 64 * 1024;

/// What a broker that serves says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broker {
    /// The brokers that take requests; a node that is still starting lists none.
    pub brokers: usize,
    /// The cluster's id.
    pub cluster_id: String,
}

/// The broker at `port`; nothing if it does not answer like one.
pub(super) async fn ask(port: u16) -> Option<Broker> {
    tokio::time::timeout(PATIENCE, exchange(port)).await.ok()?
}

async fn exchange(port: u16) -> Option<Broker> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.ok()?;
    stream.write_all(&question()).await.ok()?;
    let length = usize::try_from(stream.read_i32().await.ok()?).ok()?;
    if length > LONGEST_ANSWER {
        return None;
    }
    let mut answer = vec![0; length];
    stream.read_exact(&mut answer).await.ok()?;
    parse(&answer)
}

/// A metadata request, version 4, about no topics.
fn question() -> Vec<u8> {
    const METADATA: i16 = 3;
    const VERSION: i16 = 4;
    let client = b"stoa";
    let mut body = Vec::new();
    body.extend(METADATA.to_be_bytes());
    body.extend(VERSION.to_be_bytes());
    body.extend(1_i32.to_be_bytes()); // correlation id
    body.extend(4_i16.to_be_bytes()); // length of the client's name
    body.extend(client);
    body.extend(0_i32.to_be_bytes()); // no topics
    body.push(0); // create none
    let mut request = u32::try_from(body.len()).unwrap_or_default().to_be_bytes().to_vec();
    request.extend(body);
    request
}

fn parse(answer: &[u8]) -> Option<Broker> {
    let mut rest = Fields(answer);
    rest.skip(4)?; // correlation id
    rest.skip(4)?; // throttle time
    let brokers = usize::try_from(rest.int32()?).ok()?;
    for _ in 0..brokers {
        rest.skip(4)?; // node id
        rest.text()?; // host
        rest.skip(4)?; // port
        rest.text()?; // rack
    }
    let cluster_id = rest.text()?;
    Some(Broker { brokers, cluster_id })
}

struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn skip(&mut self, count: usize) -> Option<&[u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn int32(&mut self) -> Option<i32> {
        Some(i32::from_be_bytes(self.skip(4)?.try_into().ok()?))
    }

    /// A text; an absent one (of length -1) is read as empty.
    fn text(&mut self) -> Option<String> {
        let length = i16::from_be_bytes(self.skip(2)?.try_into().ok()?);
        let length = usize::try_from(length).unwrap_or(0);
        Some(String::from_utf8_lossy(self.skip(length)?).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(brokers: i32) -> Vec<u8> {
        let mut bytes = vec![0, 0, 0, 1, 0, 0, 0, 0];
        bytes.extend(brokers.to_be_bytes());
        for _ in 0..brokers {
            bytes.extend(1_i32.to_be_bytes());
            bytes.extend([0, 1, b'h']);
            bytes.extend(9092_i32.to_be_bytes());
            bytes.extend((-1_i16).to_be_bytes());
        }
        bytes.extend([0, 2, b'i', b'd']);
        bytes
    }

    #[test]
    fn a_broker_tells_its_cluster() {
        let seen = parse(&answer(1)).unwrap();
        assert_eq!(seen, Broker { brokers: 1, cluster_id: "id".to_owned() });
        assert_eq!(parse(&answer(0)).unwrap().brokers, 0);
    }

    #[test]
    fn a_cut_answer_is_no_answer() {
        let whole = answer(1);
        for length in 0..whole.len() {
            assert_eq!(parse(&whole[..length]), None, "{length}");
        }
    }
}

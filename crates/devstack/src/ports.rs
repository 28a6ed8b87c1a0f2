//! Ports of one data directory: the usual one or the next free one, and the same again at the next start.

use std::{
    collections::BTreeMap,
    fs, io,
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
};

/// How far from the usual port a free one is looked for.
const REACH: u16 = 200;

/// A port that could not be had.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file of remembered ports cannot be read or written.
    #[error("could not keep the ports in `{path}`")]
    File {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
    /// No port near the usual one is free.
    #[error("no port is free for {part} from {usual} on")]
    NoneFree { part: String, usual: u16 },
    /// The port that was asked for by name is taken.
    #[error("port {port} for {part} is taken")]
    Taken {
        part: String,
        port: u16,
        #[source]
        cause: io::Error,
    },
}

/// The ports of one data directory.
#[derive(Debug)]
pub struct Ports {
    path: PathBuf,
    remembered: BTreeMap<String, u16>,
    anywhere: bool,
}

impl Ports {
    /// Ports wherever the system has free ones, for tests that run beside each other.
    pub fn anywhere(data: &Path) -> Result<Self, Error> {
        Ok(Self { anywhere: true, ..Self::of(data)? })
    }

    /// Reads what `data` remembers.
    pub fn of(data: &Path) -> Result<Self, Error> {
        let path = data.join("ports.json");
        let remembered = match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(io::Error::from),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeMap::new()),
            Err(error) => Err(error),
        };
        match remembered {
            Ok(remembered) => Ok(Self { path, remembered, anywhere: false }),
            Err(cause) => Err(Error::File { path, cause }),
        }
    }

    /// The port that the part called `name` has, if it ever got one.
    #[must_use]
    pub fn remembered(&self, name: &str) -> Option<u16> {
        self.remembered.get(name).copied()
    }

    /// A listener on the remembered port, else on the usual one or the next free one after it.
    pub fn listen(&mut self, name: &str, usual: u16) -> Result<TcpListener, Error> {
        let usually = if self.anywhere { 0..1 } else { usual..usual.saturating_add(REACH) };
        let candidates = self.remembered(name).into_iter().chain(usually);
        // A port remembered for another part may be free just because that part has not started yet.
        let others: Vec<u16> =
            self.remembered.iter().filter(|(other, _)| *other != name).map(|(_, port)| *port).collect();
        let listener = candidates
            .filter(|port| !others.contains(port))
            .find_map(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok())
            .ok_or_else(|| Error::NoneFree { part: name.to_owned(), usual })?;
        let port = listener
            .local_addr()
            .map_err(|cause| Error::Taken { part: name.to_owned(), port: usual, cause })?
            .port();
        self.remember(name, port)?;
        Ok(listener)
    }

    /// A port found as [`listen`](Self::listen) finds it, free for a child process to take.
    pub fn claim(&mut self, name: &str, usual: u16) -> Result<u16, Error> {
        drop(self.listen(name, usual)?);
        Ok(self.remembered(name).unwrap_or(usual))
    }

    /// Takes exactly `port`, which somebody asked for by name.
    pub fn listen_on(&mut self, name: &str, port: u16) -> Result<TcpListener, Error> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(|cause| Error::Taken {
            part: name.to_owned(),
            port,
            cause,
        })?;
        self.remember(name, port)?;
        Ok(listener)
    }

    fn remember(&mut self, name: &str, port: u16) -> Result<(), Error> {
        if self.remembered.insert(name.to_owned(), port) == Some(port) {
            return Ok(());
        }
        let beside = self.path.with_extension("new");
        serde_json::to_vec_pretty(&self.remembered)
            .map_err(io::Error::from)
            .and_then(|bytes| fs::write(&beside, bytes))
            .and_then(|()| fs::rename(&beside, &self.path))
            .map_err(|cause| Error::File { path: self.path.clone(), cause })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn free_port() -> u16 {
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
    }

    #[test]
    fn a_taken_port_moves_to_the_next_free_one_and_is_remembered() {
        let home = tempfile::tempdir().unwrap();
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let usual = taken.local_addr().unwrap().port();
        let moved = Ports::of(home.path()).unwrap().claim("api", usual).unwrap();
        assert!(moved > usual);
        drop(taken);
        assert_eq!(Ports::of(home.path()).unwrap().claim("api", usual).unwrap(), moved);
    }

    #[test]
    fn two_parts_never_share_a_port() {
        let home = tempfile::tempdir().unwrap();
        let mut ports = Ports::of(home.path()).unwrap();
        let usual = free_port();
        let (one, other) = (ports.claim("one", usual).unwrap(), ports.claim("other", usual).unwrap());
        assert_ne!(one, other);
    }
}

//! A remote behind Git's own server, which takes pushes as any hosted one does.

use std::{
    io::{BufRead as _, BufReader},
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
};

use gitops::{Remote, Repository, WriteError, Writer};

use crate::{
    support::{TENANT, World, tenant},
    writing::{ada, one},
};

struct Daemon {
    process: Child,
    address: String,
}

impl Daemon {
    /// Serves the repositories in `folder`, or says why it cannot.
    fn start(folder: &Path) -> Result<Self, String> {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|it| it.local_addr()).unwrap();
        // The program itself: `git daemon` would be its parent, and ending the parent does not end it.
        let programs = Command::new("git").arg("--exec-path").output().map_err(|error| error.to_string())?;
        let programs = String::from_utf8_lossy(&programs.stdout).trim().to_owned();
        let mut process = Command::new(Path::new(&programs).join("git-daemon"))
            .args(["--verbose", "--export-all", "--enable=receive-pack", "--listen=127.0.0.1"])
            .arg(format!("--port={}", free.port()))
            .arg(format!("--base-path={}", folder.display()))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| error.to_string())?;
        let mut first = String::new();
        let mut log = BufReader::new(process.stderr.take().unwrap());
        log.read_line(&mut first).map_err(|error| error.to_string())?;
        let ready = first.contains("Ready to rumble") && TcpStream::connect(free).is_ok();
        // Somebody has to read what it writes, or it stops.
        std::thread::spawn(move || log.lines().map_while(Result::ok).for_each(drop));
        let daemon = Self { process, address: format!("git://{free}/remote.git") };
        if ready { Ok(daemon) } else { Err(first) }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn a_push_over_the_network_takes_effect_only_where_the_head_was_seen() {
    let world = World::new();
    let daemon = match Daemon::start(world.folder()) {
        Ok(daemon) => daemon,
        Err(reason) => {
            eprintln!("skipped, `git-daemon` does not run here: {reason}");
            return;
        }
    };
    let writer = |name: &str| {
        let mirror = Repository::open_or_clone(Remote::at(&daemon.address), &world.folder().join(name));
        Writer::new(mirror.unwrap(), world.trailers.clone())
    };
    let one_writer = writer("one.git");
    let first = one_writer.commit(None, &one(TENANT, &tenant("a")), &ada(), "Create", "req-1").unwrap();
    assert_eq!(one_writer.repository().fetch().unwrap(), Some(first.clone()));

    let other = writer("other.git");
    let second = other.commit(Some(&first), &one(TENANT, &tenant("b")), &ada(), "Change", "req-2").unwrap();
    let late = one_writer.commit(Some(&first), &one(TENANT, &tenant("c")), &ada(), "Change", "req-3");
    assert!(matches!(&late, Err(WriteError::Conflict { head: Some(at) }) if *at == second), "{late:?}");

    // Somebody forced the branch back: to build on what is no longer there would bring it back.
    world.push(&first);
    let revived = other.commit(Some(&second), &one(TENANT, &tenant("d")), &ada(), "Change", "req-4");
    assert!(matches!(&revived, Err(WriteError::Conflict { head: Some(at) }) if *at == first), "{revived:?}");
    assert_eq!(one_writer.repository().fetch().unwrap(), Some(first.clone()));
    assert_eq!(one_writer.find("req-1", &first, None, 10).unwrap(), Some(first));
}

//! Processes that end when the tests do, whatever way that happens.

use std::{
    process::{Child, Command},
    sync::{
        LazyLock,
        mpsc::{Receiver, Sender, channel},
    },
    thread,
};

type Order = (Command, Sender<std::io::Result<Child>>);

/// The kernel ends a child when the *thread* that started it ends, so one thread starts all of them and stays.
static KEEPER: LazyLock<Sender<Order>> = LazyLock::new(|| {
    let (orders, taken): (_, Receiver<Order>) = channel();
    thread::spawn(move || {
        for (mut command, answer) in taken {
            let _ = answer.send(command.spawn());
        }
    });
    orders
});

/// A command for `program` that gets SIGTERM when the tests end.
pub(crate) fn tied(program: &str) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "TERM", "--", program]);
    command
}

/// Starts it.
pub(crate) fn spawn(command: Command) -> Child {
    let (answer, started) = channel();
    KEEPER.send((command, answer)).unwrap();
    started.recv().unwrap().unwrap()
}

/// Sends a signal, such as `KILL`, to one process.
pub(crate) fn signal(signal: &str, pid: u32) {
    let status = Command::new("kill").arg(format!("-{signal}")).arg(pid.to_string()).status();
    assert!(status.is_ok(), "there is no `kill`");
}

/// Whether a process was stopped by a signal.
pub(crate) fn is_stopped(pid: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    status.lines().any(|line| line.starts_with("State:") && line.contains('T'))
}

/// Whether a process holds a lock for writing on this byte of any file.
pub(crate) fn locks(pid: u32, byte: u64) -> bool {
    let locks = std::fs::read_to_string("/proc/locks").unwrap();
    locks.lines().any(|line| {
        // As in `1: POSIX  ADVISORY  WRITE 4711 08:01:131130 120 120`.
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [_, "POSIX", _, "WRITE", owner, _, first, last] = fields[..] else { return false };
        let first = first.parse::<u64>().is_ok_and(|first| first <= byte);
        let last = last == "EOF" || last.parse::<u64>().is_ok_and(|last| byte <= last);
        owner == pid.to_string() && first && last
    })
}

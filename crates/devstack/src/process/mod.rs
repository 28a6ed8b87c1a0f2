//! Real servers as child processes: supervised, logged, and never left behind.
//!
//! Three nets catch a child when its parent goes: an orderly [`Supervised::stop`]; the kernel, which kills the
//! child when the thread that started it ends (`setpriv --pdeathsig`), however that happened; and at the next
//! start the pid file, trusted only if the process still has the command line that was written down.

mod error;
mod keeper;
mod leftover;
mod log;
mod program;
mod supervised;

pub use self::{
    error::Error,
    keeper::{Restarts, State},
    leftover::end_all as end_leftovers,
    program::{Places, Program},
    supervised::Supervised,
};

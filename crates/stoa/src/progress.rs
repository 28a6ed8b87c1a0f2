//! What takes longer than a second says what it does: on standard error, moving on a terminal only.

use std::{
    io::IsTerminal as _,
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};

/// One thing after the other.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    step: Option<(String, Instant)>,
}

impl Progress {
    /// Nothing yet.
    pub(crate) fn new() -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(100));
            bar
        });
        Self { bar, step: None }
    }

    /// The step before is done, and this one begins.
    pub(crate) fn step(&mut self, what: &str) {
        self.done();
        match &self.bar {
            Some(bar) => {
                bar.reset_elapsed();
                bar.set_message(what.to_owned());
            }
            None => eprintln!("{what}"),
        }
        self.step = Some((what.to_owned(), Instant::now()));
    }

    /// The step in hand is done; a moving line becomes a still one, with the time it took.
    pub(crate) fn done(&mut self) {
        if let Some((what, since)) = self.step.take()
            && let Some(bar) = &self.bar
        {
            bar.println(format!("  {what}: {:.1} s", since.elapsed().as_secs_f64()));
        }
    }

    /// Everything is done.
    pub(crate) fn finish(mut self) {
        self.done();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

//! Logs of the services that run in this process: a file per service, by the crate that a line comes from.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Write},
    sync::Arc,
};

use anyhow::Context as _;
use runtime::{Reader, Source, telemetry};
use tracing::Metadata;
use tracing_subscriber::fmt::MakeWriter;

use super::home::Home;

/// Crates with a file of their own; lines of all others go to the last file.
const FILES: [(&str, &str); 4] = [
    ("control_plane_api", "control-plane-api"),
    ("deployment_worker", "deployment-worker"),
    ("mcp_gateway", "mcp-gateway"),
    ("", "stoa"),
];

/// Starts logging into the data directory; `LOG_LEVEL` says how much.
pub(super) fn start(home: &Home) -> anyhow::Result<telemetry::Guard> {
    let source = Source::process();
    let mut reader = Reader::new(&source);
    let settings =
        telemetry::Settings { format: telemetry::Format::Text, ..telemetry::Settings::read(&mut reader) };
    reader.finish().context("reading settings")?;
    let files = Files::open(home)?;
    telemetry::init_with("stoa", &settings, files).context("starting telemetry")
}

#[derive(Clone, Debug)]
struct Files(Arc<BTreeMap<&'static str, File>>);

impl Files {
    fn open(home: &Home) -> anyhow::Result<Self> {
        let mut files = BTreeMap::new();
        for (part, name) in FILES {
            let path = home.logs().join(format!("{name}.log"));
            let file = File::options()
                .create(true)
                .append(true)
                .open(&path)
                .with_context(|| format!("opening `{}`", path.display()))?;
            files.insert(part, file);
        }
        Ok(Self(Arc::new(files)))
    }

    fn of(&self, target: &str) -> Line<'_> {
        let part = target.split("::").next().unwrap_or_default();
        Line(self.0.get(part).or_else(|| self.0.get("")))
    }
}

/// Where one line goes.
struct Line<'a>(Option<&'a File>);

impl Write for Line<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.map_or(Ok(bytes.len()), |mut file| file.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Files {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        self.of("")
    }

    fn make_writer_for(&'a self, metadata: &Metadata<'_>) -> Line<'a> {
        self.of(metadata.target())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_goes_to_the_file_of_its_service() {
        let directory = tempfile::tempdir().unwrap();
        let home = Home::open(directory.path()).unwrap();
        let files = Files::open(&home).unwrap();
        for target in ["mcp_gateway::app", "event_bus::view", "stoa"] {
            writeln!(files.of(target), "{target}").unwrap();
        }
        let read = |name: &str| std::fs::read_to_string(home.logs().join(name)).unwrap();
        assert_eq!(read("mcp-gateway.log"), "mcp_gateway::app\n");
        assert_eq!(read("stoa.log"), "event_bus::view\nstoa\n");
    }
}

//! The broker's configuration.

use std::path::Path;

/// What differs between two embedded brokers.
pub(super) struct Properties<'a> {
    pub port: u16,
    pub controller_port: u16,
    pub log: &'a Path,
}

impl Properties<'_> {
    /// The text of `server.properties`.
    pub(super) fn text(&self) -> String {
        let Self { port, controller_port, log } = self;
        // In a properties file a backslash escapes.
        let log = log.display().to_string().replace('\\', "\\\\");
        format!(
            "\
# Written anew at every start.
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller_port}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={log}

# One node: every internal topic has one replica, and few partitions, so that it starts fast.
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1

# A misspelt topic is an error, not a new topic.
auto.create.topics.enable=false

# A killed service gives its partitions away in seconds.
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=500

# A broker that was killed registers again as soon as its former self counts as gone.
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=400

# A laptop, not a server.
num.network.threads=2
num.io.threads=4
num.recovery.threads.per.data.dir=2
background.threads=2
log.cleaner.threads=1
log.cleaner.dedupe.buffer.size=16777216
"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listener_is_on_loopback() {
        let text = Properties { port: 9092, controller_port: 9093, log: Path::new("/d/log") }.text();
        let addresses: Vec<&str> = text.lines().filter(|line| line.contains("://")).collect();
        assert_eq!(
            addresses,
            [
                "listeners=PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093",
                "advertised.listeners=PLAINTEXT://127.0.0.1:9092",
            ]
        );
        assert!(text.contains("\nlog.dirs=/d/log\n"));
    }
}

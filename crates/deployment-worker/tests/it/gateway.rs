//! A tiny gateway: follows routes, beats, acknowledges, and answers with its generation.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use domain::{Failure, id::Generation, name::EnvironmentName};
use event_bus::{Bus, Delivery, From, Handle};
use events::{AckOutcome, Envelope, GatewayAck, GatewayInstance, GatewayRoute, InstanceState};
use jiff::Timestamp;
use runtime::{Lifecycle, Random as _, SystemRandom};

/// What a replica serves, by path.
type Served = Arc<Mutex<BTreeMap<String, Generation>>>;

/// A running replica.
pub(crate) struct Replica {
    pub(crate) address: String,
    pub(crate) served: Served,
    lifecycle: Lifecycle,
}

#[derive(Clone)]
struct Follower {
    bus: Bus,
    environment: EnvironmentName,
    name: String,
    refuses: fn(&GatewayRoute) -> bool,
    served: Served,
}

impl Follower {
    async fn ack(&self, tenant: &str, api: &str, generation: Generation, outcome: AckOutcome) {
        let ack = GatewayAck {
            tenant: tenant.parse().unwrap(),
            api: api.parse().unwrap(),
            environment: self.environment.clone(),
            replica: self.name.clone(),
            generation,
            outcome,
            message: (outcome == AckOutcome::Refused).then(|| "not today".to_owned()),
            at: self.bus.clock().now(),
        };
        let id = SystemRandom::default().id(self.bus.clock().now());
        self.bus.producer().publish(&self.bus.envelope(id, ack)).await.unwrap();
    }
}

impl Handle<GatewayRoute> for Follower {
    async fn handle(&self, envelope: &Envelope<GatewayRoute>, delivery: &Delivery) -> Result<(), Failure> {
        let route = &envelope.event;
        if route.environment != self.environment || delivery.key().split('/').count() != 3 {
            return Ok(());
        }
        let refused = (self.refuses)(route);
        let outcome = if refused { AckOutcome::Refused } else { AckOutcome::Applied };
        if !refused {
            let path = format!("/apis/{}/{}/", route.tenant, route.api);
            self.served.lock().unwrap().insert(path, route.generation);
        }
        self.ack(route.tenant.as_str(), route.api.as_str(), route.generation, outcome).await;
        Ok(())
    }

    async fn removed(&self, key: &str, _: &Delivery) -> Result<(), Failure> {
        let parts: Vec<&str> = key.split('/').collect();
        if parts[2..] == [self.environment.as_str()] {
            let path = format!("/apis/{}/{}/", parts[0], parts[1]);
            let former = self.served.lock().unwrap().remove(&path);
            self.ack(parts[0], parts[1], former.unwrap_or_default(), AckOutcome::Removed).await;
        }
        Ok(())
    }
}

impl Replica {
    pub(crate) fn start(
        bus: &Bus,
        environment: &str,
        name: &str,
        refuses: fn(&GatewayRoute) -> bool,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let served = Served::default();
        let shown = Arc::clone(&served);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shown = Arc::clone(&shown);
                thread::spawn(move || answer(&stream, &shown));
            }
        });
        let lifecycle = Lifecycle::manual();
        let follower = Follower {
            bus: bus.clone(),
            environment: environment.parse().unwrap(),
            name: name.to_owned(),
            refuses,
            served: Arc::clone(&served),
        };
        lifecycle.spawn("beat", beat(follower.clone(), lifecycle.stopping(), bus.clock().now()));
        let routes = bus.follow::<GatewayRoute, _>(From::Beginning, follower, lifecycle.stopping());
        lifecycle.spawn("routes", routes);
        Self { address, served, lifecycle }
    }

    pub(crate) async fn stop(self) {
        self.lifecycle.stopper().stop();
        assert_eq!(self.lifecycle.outcome().await, runtime::Outcome::Clean);
    }
}

async fn beat(
    follower: Follower,
    stopping: runtime::Stopping,
    started_at: Timestamp,
) -> Result<(), event_bus::Error> {
    loop {
        let leaving = stopping.is_requested();
        let at = follower.bus.clock().now();
        let instance = GatewayInstance {
            replica: follower.name.clone(),
            environment: follower.environment.clone(),
            state: if leaving { InstanceState::Leaving } else { InstanceState::Present },
            started_at,
            at,
        };
        let id = SystemRandom::default().id(at);
        follower.bus.producer().publish(&follower.bus.envelope(id, instance)).await?;
        if leaving {
            return Ok(());
        }
        let _ = stopping.unless_requested(tokio::time::sleep(Duration::from_millis(500))).await;
    }
}

fn answer(stream: &TcpStream, served: &Served) {
    let mut reader = BufReader::new(stream);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        let path = line.split_whitespace().nth(1).unwrap_or_default().to_owned();
        while line.trim() != "" {
            line.clear();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
        }
        let generation = served.lock().unwrap().get(&path).copied();
        let stamp = generation.map(|generation| format!("stoa-generation: {generation}\r\n"));
        let head = format!("HTTP/1.1 404 -\r\n{}content-length: 0\r\n\r\n", stamp.unwrap_or_default());
        if (&*stream).write_all(head.as_bytes()).is_err() {
            return;
        }
    }
}

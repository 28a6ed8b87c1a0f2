//! Asks the data plane, as a caller would, which generation it serves.

use std::{sync::Arc, time::Duration};

use domain::id::{Epoch, Generation, Revision};
use events::DeployOrder;
use reqwest::{Client, StatusCode};
use runtime::{Backoff, Random, chain};
use saga::StepError;
use tokio::time::sleep;

use super::Aim;
use crate::metrics::{Metrics, Probed};

/// The header with which a gateway says what it serves.
const GENERATION: &str = "stoa-generation";

/// How one probe follows another.
const BACKOFF: Backoff =
    Backoff { initial: Duration::from_millis(50), max: Duration::from_secs(1), factor: 2.0, jitter: 0.2 };

/// Asks gateways.
pub(crate) struct Prober {
    client: Client,
    timeout: Duration,
    attempts: u32,
    random: Arc<dyn Random>,
    metrics: Metrics,
}

impl Prober {
    /// Asks at most `attempts` times through `client`, which follows no redirects; each may take `timeout`.
    pub(crate) fn new(
        client: Client,
        timeout: Duration,
        attempts: u32,
        random: Arc<dyn Random>,
        metrics: Metrics,
    ) -> Self {
        Self { client, timeout, attempts, random, metrics }
    }

    /// How long all probes may take together.
    pub(super) fn at_most(&self) -> Duration {
        (self.timeout + BACKOFF.max).saturating_mul(self.attempts)
    }

    /// Asks until the answer is what the order wants; what was seen, for the log.
    pub(super) async fn probe(&self, order: &DeployOrder, aim: Aim) -> Result<String, StepError> {
        let url = address(order);
        let mut attempt = 1;
        loop {
            let seen = match self.ask(&url).await {
                Ok((status, stamp)) => judge(aim, status, stamp.as_deref()),
                Err(error) => Err(chain(&error.without_url())),
            };
            let result = if seen.is_ok() { "verified" } else { "not-verified" };
            self.metrics.probes.get_or_create(&Probed { result }).inc();
            match seen {
                Ok(seen) => return Ok(format!("HEAD {url}: {seen}")),
                Err(seen) if attempt >= self.attempts => {
                    return Err(StepError::reject("not-verified", format!("HEAD {url}: {seen}")));
                }
                Err(_) => sleep(BACKOFF.delay(attempt, &*self.random)).await,
            }
            attempt += 1;
        }
    }

    async fn ask(&self, url: &str) -> reqwest::Result<(StatusCode, Option<String>)> {
        let answer = self.client.head(url).timeout(self.timeout).send().await?;
        let stamp = answer.headers().get(GENERATION);
        let stamp = stamp.map(|stamp| String::from_utf8_lossy(stamp.as_bytes()).into_owned());
        Ok((answer.status(), stamp))
    }
}

fn address(order: &DeployOrder) -> String {
    let base = order.target.address.trim_end_matches('/');
    format!("{base}/apis/{}/{}/", order.tenant, order.api)
}

/// What an answer says about the aim: that it is reached, or what is there instead.
fn judge(aim: Aim, status: StatusCode, stamp: Option<&str>) -> Result<String, String> {
    let code = status.as_u16();
    let Some(stamp) = stamp else {
        return match aim {
            Aim::Gone(_) if status == StatusCode::NOT_FOUND => Ok("404, no such API".to_owned()),
            _ => Err(format!("{code} without a generation")),
        };
    };
    let Some(found) = parse(stamp) else {
        return Err(format!("{code} with the generation `{}`", stamp.chars().take(40).collect::<String>()));
    };
    let reached = match aim {
        Aim::Served(wanted) => found >= wanted,
        Aim::Gone(removal) => found > removal,
    };
    if reached { Ok(format!("generation {found}")) } else { Err(format!("{code} of generation {found}")) }
}

fn parse(stamp: &str) -> Option<Generation> {
    let (epoch, revision) = stamp.trim().split_once('.')?;
    Some(Generation { epoch: Epoch(epoch.parse().ok()?), revision: Revision(revision.parse().ok()?) })
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};

    use events::GatewayTarget;
    use runtime::{HttpSettings, http_client, testing::FixedRandom};

    use super::*;
    use crate::sample::{self, generation};

    #[test]
    fn the_generation_or_a_newer_one_proves_a_route_whatever_the_status() {
        let aim = Aim::Served(generation(5));
        let judge = |status: u16, stamp| judge(aim, StatusCode::from_u16(status).unwrap(), stamp);
        assert_eq!(judge(401, Some("1.5")), Ok("generation 1.5".to_owned()));
        assert_eq!(judge(200, Some("2.1")), Ok("generation 2.1".to_owned()));
        assert_eq!(judge(200, Some("1.4")), Err("200 of generation 1.4".to_owned()));
        assert_eq!(judge(404, None), Err("404 without a generation".to_owned()));
        assert_eq!(judge(200, Some("five")), Err("200 with the generation `five`".to_owned()));
    }

    #[test]
    fn only_404_without_a_generation_proves_a_removal() {
        let aim = Aim::Gone(generation(6));
        let judge = |status: u16, stamp| judge(aim, StatusCode::from_u16(status).unwrap(), stamp);
        assert_eq!(judge(404, None), Ok("404, no such API".to_owned()));
        assert_eq!(judge(404, Some("1.5")), Err("404 of generation 1.5".to_owned()));
        assert_eq!(judge(502, None), Err("502 without a generation".to_owned()));
        assert_eq!(judge(200, Some("1.7")), Ok("generation 1.7".to_owned()));
    }

    /// Gives the answers in their order, one a connection, and returns the first lines of the requests.
    fn serve(answers: &'static [&'static str]) -> (String, std::thread::JoinHandle<Vec<String>>) {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/", listener.local_addr().unwrap());
        let served = std::thread::spawn(move || {
            let answer = |answer: &&str| {
                let (mut stream, _) = listener.accept().unwrap();
                let mut request = [0; 4096];
                let length = stream.read(&mut request).unwrap();
                let head = format!("HTTP/1.1 {answer}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                stream.write_all(head.as_bytes()).unwrap();
                let request = String::from_utf8_lossy(&request[..length]).into_owned();
                request.lines().next().unwrap_or_default().to_owned()
            };
            answers.iter().map(answer).collect()
        });
        (address, served)
    }

    async fn probe(address: String, attempts: u32) -> Result<String, String> {
        let client = http_client(&HttpSettings::default()).unwrap();
        let random = Arc::new(FixedRandom::new(0));
        let prober = Prober::new(client, Duration::from_secs(5), attempts, random, Metrics::default());
        let target = GatewayTarget { address, ..sample::order().target };
        let order = DeployOrder { target, ..sample::order() };
        let seen = prober.probe(&order, Aim::of(&order)).await;
        seen.map_err(|error| format!("{}: {}", error.problem.reason, error.problem.message))
    }

    #[tokio::test]
    async fn a_gateway_that_serves_it_soon_is_asked_until_it_does() {
        let (address, served) = serve(&[
            "302 Found\r\nlocation: /elsewhere",
            "404 Not Found",
            "401 Unauthorized\r\nstoa-generation: 1.5",
        ]);
        let seen = probe(address.clone(), 6).await.unwrap();
        assert_eq!(seen, format!("HEAD {address}apis/acme/pets/: generation 1.5"));
        assert_eq!(served.join().unwrap(), ["HEAD /apis/acme/pets/ HTTP/1.1"; 3]);
    }

    #[tokio::test]
    async fn a_gateway_that_never_does_is_not_verified() {
        let (address, served) = serve(&["200 OK", "200 OK\r\nstoa-generation: 1.4"]);
        let seen = probe(address.clone(), 2).await.unwrap_err();
        assert_eq!(seen, format!("not-verified: HEAD {address}apis/acme/pets/: 200 of generation 1.4"));
        served.join().unwrap();
        let seen = probe(address, 1).await.unwrap_err();
        assert!(seen.starts_with("not-verified: "), "{seen}");
    }
}

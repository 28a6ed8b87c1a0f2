//! The HTTP server of a service, with what every route shares.

mod health;
mod metrics;
mod observe;
mod settings;

use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    body::BoxBody,
    dev::{self, ServiceRequest},
    error::PathError,
    middleware::{Next, from_fn},
    web::{self, Data, ServiceConfig},
};
use runtime::{Clock, Metrics, Random, Readiness, Stopping};
use tokio::time::sleep;
use tracing::info;

pub use self::settings::Settings;
use self::{health::Health, observe::Observer};
use crate::{Kind, Problem};

/// How long a peer may take to send the head of a request.
const HEAD: Duration = Duration::from_secs(10);

/// How long an idle connection is kept: longer than clients and load balancers usually do, because whoever closes
/// first must not be the one that a request is under way to.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// What the server takes from its service.
#[derive(Clone, Debug)]
pub struct Parts {
    /// The service's name, as in metrics.
    pub service: &'static str,
    /// What `/health/ready` reports.
    pub readiness: Readiness,
    /// What `/metrics` shows; the server adds its own.
    pub metrics: Metrics,
    /// For request ids.
    pub clock: Arc<dyn Clock>,
    /// For request ids.
    pub random: Arc<dyn Random>,
}

/// A bound server that accepts from the start and answers as soon as it runs.
pub struct Server {
    address: SocketAddr,
    drain: Duration,
    running: dev::Server,
}

impl Server {
    /// Binds, and serves what `configure` adds beside the common routes.
    pub fn bind<F>(settings: &Settings, parts: Parts, configure: F) -> io::Result<Self>
    where
        F: Fn(&mut ServiceConfig) + Clone + Send + 'static,
    {
        let listener = TcpListener::bind(settings.address)?;
        let address = listener.local_addr()?;
        let observer = Arc::new(Observer::new(&parts, settings.timeout));
        let health = Data::new(Health { readiness: parts.readiness, metrics: parts.metrics });
        let body_limit = settings.body_limit;
        let app = move || {
            let observer = Arc::clone(&observer);
            let around = move |request: ServiceRequest, next: Next<BoxBody>| {
                let observer = Arc::clone(&observer);
                async move { observer.observe(request, next).await }
            };
            App::new()
                .app_data(health.clone())
                .app_data(body_limit)
                .app_data(web::PayloadConfig::new(body_limit.0))
                .app_data(
                    web::PathConfig::default().error_handler(|error, _| nothing_of_that_name(&error).into()),
                )
                .configure(configure.clone())
                .configure(health::routes)
                .default_service(web::to(nothing_here))
                .wrap(from_fn(around))
        };
        let running = HttpServer::new(app)
            .workers(settings.workers)
            .client_request_timeout(HEAD)
            .keep_alive(KEEP_ALIVE)
            // The last piece of an answer must not wait until the peer has confirmed the one before.
            .tcp_nodelay(true)
            .shutdown_timeout(settings.stop.as_secs().max(1))
            .disable_signals()
            .listen(listener)?
            .run();
        info!(service = parts.service, %address, "Listening on {address}");
        Ok(Self { address, drain: settings.drain, running })
    }

    /// Where it listens; tells the port if the settings left it open.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until a stop is requested; then requests in flight are answered, and connections close.
    ///
    /// Readiness is false from the request on, and new connections are taken for the drain time, so that a load
    /// balancer can notice.
    pub async fn run(self, stopping: Stopping) -> io::Result<()> {
        let handle = self.running.handle();
        let mut running = self.running;
        let drained = async {
            stopping.requested().await;
            sleep(self.drain).await;
        };
        tokio::select! {
            ended = &mut running => return ended,
            () = drained => {}
        }
        let ((), ended) = tokio::join!(handle.stop(true), running);
        ended
    }
}

/// A segment that is no name of its kind names nothing.
fn nothing_of_that_name(error: &PathError) -> Problem {
    let detail = match error {
        PathError::Deserialize(cause) => cause.to_string(),
        _ => "the path is not valid".to_owned(),
    };
    Problem::new(Kind::NotFound, detail)
}

async fn nothing_here(request: HttpRequest) -> Result<HttpResponse, Problem> {
    if request.match_pattern().is_some() {
        let detail = format!("{} is not allowed here", request.method());
        return Err(Problem::new(Kind::MethodNotAllowed, detail));
    }
    Err(Problem::new(Kind::NotFound, "there is no such route"))
}

//! HTTP servers of the stand-ins: on loopback, for callers of this machine, and for nobody else.

use std::{
    future::Future,
    io,
    net::{SocketAddr, TcpListener},
    time::Duration,
};

use actix_web::{
    App, Error as ActixError, HttpResponse, HttpServer,
    body::{EitherBody, MessageBody},
    dev::{Server, ServerHandle, ServiceRequest, ServiceResponse},
    http::header::{HOST, HeaderValue, ORIGIN},
    middleware::{Next, from_fn},
    web::ServiceConfig,
};
use url::{Host, Url};

/// How long requests may take to finish after the stop.
const FINISH_WITHIN_SECONDS: u64 = 3;

/// A stand-in that could not be served.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is one that others could reach.
    #[error("{address} is not a loopback address: stand-ins serve this machine only")]
    NotLoopback { address: SocketAddr },
    /// The listener cannot be served.
    #[error("could not serve {name}")]
    Serve {
        name: &'static str,
        #[source]
        cause: io::Error,
    },
}

/// A stand-in that listens; it answers once [`serve`](Self::serve) is polled.
pub struct Local {
    name: &'static str,
    address: SocketAddr,
    server: Server,
    handle: ServerHandle,
}

impl std::fmt::Debug for Local {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Local")
            .field("name", &self.name)
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl Local {
    /// Serves `routes` on `listener`, which must be bound to loopback.
    pub fn bind<R>(name: &'static str, listener: TcpListener, routes: R) -> Result<Self, Error>
    where
        R: Fn(&mut ServiceConfig) + Clone + Send + 'static,
    {
        let failed = |cause| Error::Serve { name, cause };
        let address = listener.local_addr().map_err(failed)?;
        if !address.ip().is_loopback() {
            return Err(Error::NotLoopback { address });
        }
        let server =
            HttpServer::new(move || App::new().wrap(from_fn(for_this_machine)).configure(routes.clone()))
                .workers(1)
                .disable_signals()
                .shutdown_timeout(FINISH_WITHIN_SECONDS)
                .client_request_timeout(Duration::from_secs(10))
                .listen(listener)
                .map_err(failed)?
                .run();
        let handle = server.handle();
        Ok(Self { name, address, server, handle })
    }

    /// The address that it listens on, such as `http://127.0.0.1:8081`.
    #[must_use]
    pub fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The port that it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Answers until `stopped` is done, and then finishes what is in hand.
    pub async fn serve(self, stopped: impl Future<Output = ()>) -> Result<(), Error> {
        let Self { name, mut server, handle, .. } = self;
        tokio::select! {
            ended = &mut server => return ended.map_err(|cause| Error::Serve { name, cause }),
            () = stopped => {}
        }
        // The server has to be polled while it stops.
        let (ended, ()) = futures_util::join!(server, handle.stop(true));
        ended.map_err(|cause| Error::Serve { name, cause })
    }
}

/// Refuses calls that name another host or come from a page of another site.
///
/// Loopback keeps other machines out, not the user's browser: a page that lets its own name resolve to
/// 127.0.0.1 could otherwise ask the token issuer for a token.
async fn for_this_machine<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, ActixError> {
    let host = request.headers().get(HOST).map_or_else(
        // HTTP/2 carries the host in the request line.
        || request.uri().host().is_some_and(|host| is_loopback(&format!("http://{host}"))),
        |host| text(host).is_some_and(|host| is_loopback(&format!("http://{host}"))),
    );
    let origin = request.headers().get(ORIGIN).is_none_or(|origin| text(origin).is_some_and(is_loopback));
    if host && origin {
        return next.call(request).await.map(ServiceResponse::map_into_left_body);
    }
    let refusal = HttpResponse::Forbidden().body("this server answers callers of its own machine only\n");
    Ok(request.into_response(refusal).map_into_right_body())
}

fn text(value: &HeaderValue) -> Option<&str> {
    value.to_str().ok()
}

fn is_loopback(address: &str) -> bool {
    Url::parse(address).is_ok_and(|url| match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    })
}

#[cfg(test)]
mod tests {
    use actix_web::{test, web};

    use super::*;

    #[actix_web::test]
    async fn another_machines_address_is_refused() {
        let everywhere = TcpListener::bind("0.0.0.0:0").unwrap();
        assert!(matches!(
            Local::bind("part", everywhere, |_: &mut ServiceConfig| {}),
            Err(Error::NotLoopback { .. })
        ));
    }

    #[actix_web::test]
    async fn a_page_of_another_site_is_refused() {
        let app = test::init_service(
            App::new().wrap(from_fn(for_this_machine)).route("/", web::get().to(async || "here")),
        )
        .await;
        for (host, origin, status) in [
            ("127.0.0.1:8081", None, 200),
            ("localhost", Some("http://localhost:3000"), 200),
            ("[::1]:80", None, 200),
            ("rebound.example", None, 403),
            ("127.0.0.1.example", None, 403),
            ("127.0.0.1", Some("https://elsewhere.example"), 403),
            ("127.0.0.1", Some("null"), 403),
        ] {
            let mut request = test::TestRequest::get().uri("/").insert_header((HOST, host));
            if let Some(origin) = origin {
                request = request.insert_header((ORIGIN, origin));
            }
            let answer = test::call_service(&app, request.to_request()).await;
            assert_eq!(answer.status(), status, "{host} {origin:?}");
        }
    }

    #[actix_web::test]
    async fn it_answers_until_it_is_stopped() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let part = Local::bind("part", listener, |config: &mut ServiceConfig| {
            config.route("/", web::get().to(|| async { "here" }));
        })
        .unwrap();
        let base = part.base();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let serving = part.serve(async { drop(stopped.await) });
        let asking = async {
            let answer = reqwest::get(&base).await.unwrap().text().await.unwrap();
            drop(stop);
            answer
        };
        let (served, answer) = futures_util::join!(serving, asking);
        served.unwrap();
        assert_eq!(answer, "here");
        reqwest::get(&base).await.unwrap_err();
    }
}

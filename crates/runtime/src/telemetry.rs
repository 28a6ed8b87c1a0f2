//! Logs and traces of the process.

use std::{io, time::Duration};

use opentelemetry::{KeyValue, trace::TracerProvider as _};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::{
    Resource,
    trace::{Sampler, SdkTracer, SdkTracerProvider},
};
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    fmt::{self, MakeWriter},
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};
use url::Url;

use crate::{Reader, chain};

/// How long the last spans may take to leave.
const FLUSH: Duration = Duration::from_secs(5);

/// The form of log lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line.
    #[default]
    Json,
    /// Lines for people.
    Text,
}

/// What is logged and where traces go.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// A level (`info`) or directives of `tracing` (`info,event_bus=debug`).
    pub level: String,
    /// The form of log lines.
    pub format: Format,
    /// The OTLP/HTTP endpoint that spans are sent to.
    pub endpoint: Option<Url>,
    /// The share of traces that is sent, from 0 to 1.
    pub sampled: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { level: "info".to_owned(), format: Format::Json, endpoint: None, sampled: 1.0 }
    }
}

impl Settings {
    /// Reads `log.level`, `log.format`, `otel.exporter.otlp.endpoint` and `otel.traces.sampler.arg`.
    pub fn read(reader: &mut Reader) -> Self {
        let default = Self::default();
        let formats = [("json", Format::Json), ("text", Format::Text)];
        let settings = Self {
            level: level(&reader.or("log.level", default.level)),
            format: reader.one_of("log.format", &formats).unwrap_or_default(),
            endpoint: reader.optional("otel.exporter.otlp.endpoint"),
            sampled: reader.or("otel.traces.sampler.arg", default.sampled),
        };
        if let Err(error) = EnvFilter::try_new(&settings.level) {
            reader.problem("log.level", format!("expected a level such as `info`: {error}"));
        }
        if !(0.0..=1.0).contains(&settings.sampled) {
            reader.problem("otel.traces.sampler.arg", "expected a number from 0 to 1");
        }
        settings
    }
}

/// The level in the spelling of `tracing`; the original platform wrote `WARNING` and `CRITICAL`.
fn level(given: &str) -> String {
    match given.to_ascii_lowercase().as_str() {
        "warning" => "warn".to_owned(),
        "critical" | "fatal" => "error".to_owned(),
        "trace" | "debug" | "info" | "warn" | "error" | "off" => given.to_ascii_lowercase(),
        _ => given.to_owned(),
    }
}

/// Why telemetry did not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The level does not parse.
    #[error("`{level}` is not a log level")]
    Level {
        /// What was given.
        level: String,
        /// What is wrong with it.
        #[source]
        cause: tracing_subscriber::filter::ParseError,
    },
    /// The exporter of traces could not be built.
    #[error("could not prepare the export of traces to `{endpoint}`")]
    Exporter {
        /// Where they were to go.
        endpoint: Url,
        /// What went wrong.
        #[source]
        cause: opentelemetry_otlp::ExporterBuildError,
    },
    /// A subscriber is installed already.
    #[error("telemetry runs already in this process")]
    Running(#[source] tracing_subscriber::util::TryInitError),
}

/// Sends what is buffered when it is dropped.
#[derive(Debug)]
pub struct Guard(SdkTracerProvider);

impl Drop for Guard {
    fn drop(&mut self) {
        if let Err(error) = self.0.shutdown_with_timeout(FLUSH) {
            eprintln!("could not send the last traces: {}", chain(&error));
        }
    }
}

/// Starts logs on standard error, and traces; once a process.
pub fn init(service: &str, settings: &Settings) -> Result<Guard, Error> {
    init_with(service, settings, io::stderr)
}

/// Like [`init`], with logs to `writer`.
pub fn init_with<W>(service: &str, settings: &Settings, writer: W) -> Result<Guard, Error>
where
    W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    let filter = EnvFilter::try_new(&settings.level)
        .map_err(|cause| Error::Level { level: settings.level.clone(), cause })?;
    let provider = provider(service, settings)?;
    let traces: tracing_opentelemetry::OpenTelemetryLayer<_, SdkTracer> = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("stoa"))
        // Nothing else here looks for an active context, and a span is entered at every step of a request.
        .with_context_activation(false)
        // Where in the code and on which thread a request runs says nothing that its name does not.
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_tracked_inactivity(false);
    let subscriber = Registry::default().with(filter).with(logs(settings.format, writer)).with(traces);
    subscriber.try_init().map_err(Error::Running)?;
    Ok(Guard(provider))
}

fn logs<S, W>(format: Format, writer: W) -> Box<dyn Layer<S> + Send + Sync>
where
    S: tracing::Subscriber + for<'span> tracing_subscriber::registry::LookupSpan<'span>,
    W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    match format {
        // The list of spans ends with the current one.
        Format::Json => {
            fmt::layer().json().flatten_event(true).with_current_span(false).with_writer(writer).boxed()
        }
        Format::Text => fmt::layer().with_ansi(false).with_writer(writer).boxed(),
    }
}

/// Without an endpoint nothing is sampled, but spans still have ids, so that `traceparent` travels.
fn provider(service: &str, settings: &Settings) -> Result<SdkTracerProvider, Error> {
    let resource = Resource::builder()
        .with_service_name(service.to_owned())
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .build();
    let provider = SdkTracerProvider::builder().with_resource(resource);
    let Some(endpoint) = &settings.endpoint else {
        return Ok(provider.with_sampler(Sampler::AlwaysOff).build());
    };
    let traces = format!("{}/v1/traces", endpoint.as_str().trim_end_matches('/'));
    let exporter = SpanExporter::builder()
        .with_http()
        .with_endpoint(traces)
        .build()
        .map_err(|cause| Error::Exporter { endpoint: endpoint.clone(), cause })?;
    let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(settings.sampled)));
    Ok(provider.with_sampler(sampler).with_batch_exporter(exporter).build())
}

//! Trace contexts as they travel: the `traceparent` of W3C Trace Context.

use opentelemetry::{
    Context, SpanId, TraceFlags, TraceId,
    trace::{SpanContext, TraceContextExt as _, TraceState},
};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// The `traceparent` of the current span, if telemetry runs.
#[must_use]
pub fn traceparent() -> Option<String> {
    let context = current()?;
    let (trace, span, flags) = (context.trace_id(), context.span_id(), context.trace_flags().to_u8());
    Some(format!("00-{trace}-{span}-{flags:02x}"))
}

/// The trace id of the current span, in hexadecimal, if telemetry runs.
#[must_use]
pub fn trace_id() -> Option<String> {
    current().map(|context| context.trace_id().to_string())
}

/// Makes `span`, which was not entered yet, a child of a remote span; what cannot be parsed is ignored.
pub fn adopt(span: &Span, traceparent: &str) {
    if let Some(context) = parse(traceparent) {
        // Fails only without telemetry, where there is nothing to adopt.
        let _ = span.set_parent(Context::new().with_remote_span_context(context));
    }
}

/// Links `span` to a remote one, as a consumer's root span to its producer's; what cannot be parsed is ignored.
pub fn link(span: &Span, traceparent: &str) {
    if let Some(context) = parse(traceparent) {
        span.add_link(context);
    }
}

fn current() -> Option<SpanContext> {
    let context = Span::current().context().span().span_context().clone();
    context.is_valid().then_some(context)
}

fn parse(traceparent: &str) -> Option<SpanContext> {
    let mut parts = traceparent.split('-');
    let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let known = version.len() == 2 && version != "ff" && (version != "00" || parts.next().is_none());
    if !known || trace.len() != 32 || span.len() != 16 || flags.len() != 2 {
        return None;
    }
    let context = SpanContext::new(
        TraceId::from_hex(trace).ok()?,
        SpanId::from_hex(span).ok()?,
        TraceFlags::new(u8::from_str_radix(flags, 16).ok()?),
        true,
        TraceState::default(),
    );
    context.is_valid().then_some(context)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remote_context_is_parsed() {
        let context = parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").unwrap();
        assert_eq!(context.trace_id().to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(context.span_id().to_string(), "00f067aa0ba902b7");
        assert!(context.is_sampled() && context.is_remote());
    }

    #[test]
    fn what_is_no_trace_context_is_ignored() {
        for text in [
            "",
            "00",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-extra",
            "00-4bf92f3577b34da6a3ce929d0e0e47-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0eßß-00f067aa0ba902b7-01",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn without_telemetry_there_is_no_trace() {
        assert_eq!((traceparent(), trace_id()), (None, None));
    }
}

//! How a process lives: settings, telemetry, lifecycle, clock, backoff.

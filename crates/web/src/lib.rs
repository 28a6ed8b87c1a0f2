//! Actix glue: problems, principals, permissions, health, metrics, limits.

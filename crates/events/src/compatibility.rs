//! Compatibility of schemas.

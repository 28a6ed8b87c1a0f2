//! Whether an order can be carried out at all, before anything is written.

use events::{Authentication, DeployOrder, Document, DocumentError, OrderKind, Upstream};
use openapi::{Dialect, Limits};
use saga::StepError;
use url::Url;

use crate::target::Capabilities;

/// Why an order cannot be carried out, whoever tries.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("this version of the worker does not know what the order wants")]
    Kind,
    #[error("`{address}` is not the address of a gateway")]
    Gateway { address: String },
    #[error("the order brings no document")]
    NoDocument,
    #[error("the document did not arrive whole: {0}")]
    Broken(#[from] DocumentError),
    #[error("the document is not usable: {0}")]
    Unusable(#[from] openapi::Error),
    #[error("the gateway does not take documents of OpenAPI {0}")]
    Dialect(Dialect),
    #[error("the order names no backend")]
    NoUpstream,
    #[error("`{url}` is not the address of a backend")]
    Upstream { url: String },
    #[error("this version of the worker does not know how callers of the API prove who they are")]
    Authentication,
}

impl Refusal {
    /// The stable word of the reason.
    fn reason(&self) -> &'static str {
        match self {
            Self::Kind => "unsupported-order",
            Self::Gateway { .. } => "invalid-gateway",
            Self::NoDocument | Self::Broken(_) | Self::Unusable(_) | Self::Dialect(_) => "invalid-document",
            Self::NoUpstream | Self::Upstream { .. } => "invalid-upstream",
            Self::Authentication => "unsupported-authentication",
        }
    }
}

impl From<Refusal> for StepError {
    fn from(refusal: Refusal) -> Self {
        Self::reject(refusal.reason(), refusal.to_string())
    }
}

/// What preflight saw, for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Checked {
    /// Nothing but where to take it off.
    Removal,
    /// A document that the gateway can serve.
    Content { dialect: Dialect, tools: usize },
}

/// Reads and compiles the document as the gateway will; takes long for large ones.
pub(crate) fn check(order: &DeployOrder, capabilities: &Capabilities) -> Result<Checked, Refusal> {
    if !is_web(&order.target.address) {
        return Err(Refusal::Gateway { address: shortened(&order.target.address) });
    }
    match order.kind {
        OrderKind::Remove => return Ok(Checked::Removal),
        OrderKind::Apply | OrderKind::Reassert | OrderKind::Sync => {}
        OrderKind::Cancel | OrderKind::Unknown => return Err(Refusal::Kind),
    }
    if order.authentication == Authentication::Unknown {
        return Err(Refusal::Authentication);
    }
    let upstream = order.upstream.as_ref().ok_or(Refusal::NoUpstream)?;
    backend(upstream)?;
    document(order.document.as_ref().ok_or(Refusal::NoDocument)?, capabilities)
}

fn document(packed: &Document, capabilities: &Capabilities) -> Result<Checked, Refusal> {
    let document = openapi::Document::parse(&packed.unpack()?, &Limits::default())?;
    let dialect = document.dialect();
    if !capabilities.dialects.contains(&dialect) {
        return Err(Refusal::Dialect(dialect));
    }
    Ok(Checked::Content { dialect, tools: document.tools().len() })
}

fn backend(upstream: &Upstream) -> Result<(), Refusal> {
    let url = Url::parse(&upstream.url).ok();
    let plain =
        url.is_some_and(|url| url.username().is_empty() && url.password().is_none() && url.query().is_none());
    if plain && is_web(&upstream.url) {
        Ok(())
    } else {
        Err(Refusal::Upstream { url: shortened(&upstream.url) })
    }
}

fn is_web(address: &str) -> bool {
    Url::parse(address).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

fn shortened(text: &str) -> String {
    text.chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use domain::id::Digest;

    use super::*;
    use crate::{builtin::CAPABILITIES, sample};

    fn reason(order: &DeployOrder) -> Result<Checked, &'static str> {
        check(order, &CAPABILITIES).map_err(|refusal| refusal.reason())
    }

    fn with_document(text: &str) -> DeployOrder {
        let document = Document::pack(text.as_bytes(), "application/yaml").unwrap();
        DeployOrder { document: Some(document), ..sample::order() }
    }

    #[test]
    fn a_usable_order_passes_with_what_it_holds() {
        assert_eq!(reason(&sample::order()), Ok(Checked::Content { dialect: Dialect::V3_1, tools: 1 }));
        let again = DeployOrder { kind: OrderKind::Reassert, ..sample::order() };
        assert_eq!(reason(&again), Ok(Checked::Content { dialect: Dialect::V3_1, tools: 1 }));
        assert_eq!(reason(&sample::removal(6)), Ok(Checked::Removal));
    }

    #[test]
    fn a_document_that_cannot_be_served_is_invalid() {
        let mut forged = sample::order();
        forged.document.as_mut().unwrap().digest = Digest::of(b"something else");
        let mut broken = sample::order();
        broken.document.as_mut().unwrap().content = b"no zstd".to_vec();
        let none = DeployOrder { document: None, ..sample::order() };
        let orders = [
            forged,
            broken,
            none,
            with_document("openapi: [3.1"),
            with_document("openapi: 3.2.0\ninfo: {}\n"),
        ];
        for order in orders {
            assert_eq!(reason(&order), Err("invalid-document"));
        }
    }

    #[test]
    fn only_a_plain_web_address_is_a_backend() {
        let at = |url: &str| DeployOrder {
            upstream: Some(Upstream { url: url.to_owned(), timeout_ms: 0 }),
            ..sample::order()
        };
        for url in ["ftp://files.example", "https://user:pw@example.org", "http://a/?q=1", "nowhere", ""] {
            assert_eq!(reason(&at(url)), Err("invalid-upstream"), "{url}");
        }
        assert!(reason(&at("https://example.org/v1")).is_ok());
        assert_eq!(reason(&DeployOrder { upstream: None, ..sample::order() }), Err("invalid-upstream"));
    }

    #[test]
    fn what_this_version_does_not_know_is_refused() {
        let kind = DeployOrder { kind: OrderKind::Unknown, ..sample::order() };
        assert_eq!(reason(&kind), Err("unsupported-order"));
        let callers = DeployOrder { authentication: Authentication::Unknown, ..sample::order() };
        assert_eq!(reason(&callers), Err("unsupported-authentication"));
        let mut nowhere = sample::removal(6);
        nowhere.target.address = "edge".to_owned();
        assert_eq!(reason(&nowhere), Err("invalid-gateway"));
    }
}

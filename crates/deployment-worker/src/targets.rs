//! The products of gateways, by their kind.

use events::GatewayKind;

use crate::{builtin::Builtin, target::Target};

/// The products that this version drives.
pub(crate) struct Targets {
    pub(crate) builtin: Builtin,
}

impl Targets {
    /// The target of a kind, if this version drives it.
    pub(crate) fn of(&self, kind: GatewayKind) -> Option<&impl Target> {
        match kind {
            GatewayKind::Builtin => Some(&self.builtin),
            GatewayKind::Webmethods | GatewayKind::Unknown => None,
        }
    }
}

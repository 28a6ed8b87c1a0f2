//! The table of topics: everything that `stoa topics apply` creates, and who may use it.

use jiff::SignedDuration;

use crate::limits;

/// Somebody who writes or reads topics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Party {
    /// The service `control-plane-api`.
    ControlPlaneApi,
    /// The service `deployment-worker`.
    DeploymentWorker,
    /// The service `mcp-gateway`.
    McpGateway,
    /// Every service of the platform.
    EveryService,
    /// Programs outside the platform.
    Outside,
}

/// What the broker does with old records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cleanup {
    /// Removes records that are older than this.
    Delete(SignedDuration),
    /// Keeps the newest record of each key.
    Compact,
}

/// A row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Topic {
    /// The name.
    pub name: &'static str,
    /// Number of partitions; never changed, because keys would move.
    pub partitions: i32,
    /// What happens to old records.
    pub cleanup: Cleanup,
    /// Largest record, in bytes, as the broker counts it.
    pub max_bytes: usize,
    /// What the key is, for people.
    pub key: &'static str,
    /// Who writes it.
    pub writers: &'static [Party],
    /// Who reads it.
    pub readers: &'static [Party],
}

impl Topic {
    /// The subject of its schema in the registry.
    #[must_use]
    pub fn subject(&self) -> String {
        format!("{}-value", self.name)
    }

    /// The row of the topic called `name`.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Topic> {
        ALL.iter().copied().find(|topic| topic.name == name)
    }
}

use Party::{ControlPlaneApi, DeploymentWorker, EveryService, McpGateway, Outside};

const fn days(count: i64) -> Cleanup {
    Cleanup::Delete(SignedDuration::from_hours(24 * count))
}

const fn topic(
    name: &'static str,
    partitions: i32,
    cleanup: Cleanup,
    key: &'static str,
    writers: &'static [Party],
    readers: &'static [Party],
) -> Topic {
    Topic { name, partitions, cleanup, max_bytes: limits::RECORD, key, writers, readers }
}

/// A topic whose records carry an `OpenAPI` document.
const fn with_document(topic: Topic) -> Topic {
    Topic { max_bytes: limits::RECORD_WITH_DOCUMENT, ..topic }
}

const KEYED: i32 = 6;
const CP: &[Party] = &[ControlPlaneApi];
const ALL_SERVICES: &[Party] = &[EveryService];
const ANYONE: &[Party] = &[EveryService, Outside];

macro_rules! topics {
    ($($(#[$doc:meta])* $const:ident = $row:expr;)+) => {
        $($(#[$doc])* pub static $const: Topic = $row;)+

        /// Every topic, in the order of `docs/events.md`.
        pub static ALL: &[&Topic] = &[$(&$const),+];
    };
}

topics! {
    /// Tenants as declared.
    CATALOG_TENANTS = topic("catalog-tenants", KEYED, Cleanup::Compact, "tenant", CP, ALL_SERVICES);
    /// APIs as declared, with their documents.
    CATALOG_APIS = with_document(topic("catalog-apis", KEYED, Cleanup::Compact, "tenant/api", CP, ALL_SERVICES));
    /// Applications as declared.
    CATALOG_APPLICATIONS = topic("catalog-applications", KEYED, Cleanup::Compact, "tenant/application", CP, ALL_SERVICES);
    /// Members of tenants as declared.
    CATALOG_USERS = topic("catalog-users", KEYED, Cleanup::Compact, "tenant", CP, ALL_SERVICES);
    /// Gateways as declared.
    CATALOG_GATEWAYS = topic("catalog-gateways", KEYED, Cleanup::Compact, "environment/gateway", CP, ALL_SERVICES);
    /// Settings and variables of every level.
    CATALOG_ENVIRONMENTS = topic("catalog-environments", KEYED, Cleanup::Compact, "`_defaults`, environment or tenant/environment", CP, ALL_SERVICES);
    /// Plans as declared.
    CATALOG_PLANS = topic("catalog-plans", KEYED, Cleanup::Compact, "plan", CP, ALL_SERVICES);
    /// How far the catalogue is written.
    CATALOG_HEADS = topic("catalog-heads", 1, Cleanup::Compact, "repository", CP, ALL_SERVICES);
    /// An API was declared.
    API_CREATED = topic("api-created", KEYED, days(30), "tenant", CP, ANYONE);
    /// An API was changed.
    API_UPDATED = topic("api-updated", KEYED, days(30), "tenant", CP, ANYONE);
    /// An API was removed.
    API_DELETED = topic("api-deleted", KEYED, days(30), "tenant", CP, ANYONE);
    /// A tenant changed.
    TENANT_EVENTS = topic("tenant-events", KEYED, days(30), "tenant", CP, ANYONE);
    /// An application changed.
    APPLICATION_EVENTS = topic("application-events", KEYED, days(30), "tenant", CP, ANYONE);
    /// Look at Git; its single partition elects the relay.
    GITOPS_NUDGES = topic("gitops-nudges", 1, days(1), "repository", CP, CP);
    /// Requests for deployments.
    DEPLOY_REQUESTS = topic("deploy-requests", KEYED, days(14), "tenant", &[Outside, ControlPlaneApi], CP);
    /// Requests to declare and deploy an API.
    API_REGISTRATION = with_document(topic("api-registration", KEYED, days(14), "tenant", &[Outside], CP));
    /// What became of requests.
    REQUEST_OUTCOMES = topic("request-outcomes", KEYED, days(14), "tenant", CP, ANYONE);
    /// One API, one environment, one gateway.
    DEPLOY_ORDERS = with_document(topic("deploy-orders", KEYED, days(14), "tenant/api", CP, &[DeploymentWorker]));
    /// The memory of the deployment saga; written to the partition number of its order.
    DEPLOYMENT_STATE = topic("deployment-state", KEYED, Cleanup::Compact, "order", &[DeploymentWorker], &[DeploymentWorker]);
    /// What a deployment does, for people.
    DEPLOYMENT_STEPS = topic("deployment-steps", KEYED, days(14), "tenant", &[DeploymentWorker], CP);
    /// One terminal record per order.
    DEPLOY_RESULTS = topic("deploy-results", KEYED, days(30), "tenant", &[DeploymentWorker], ANYONE);
    /// What the built-in gateway serves; while an order is under way, under `…/former` what it served before.
    GATEWAY_ROUTES = with_document(topic("gateway-routes", KEYED, Cleanup::Compact, "tenant/api/environment", &[DeploymentWorker], &[DeploymentWorker, McpGateway]));
    /// Heartbeats of gateway replicas.
    GATEWAY_INSTANCES = topic("gateway-instances", 1, days(1), "replica", &[McpGateway], &[DeploymentWorker]);
    /// Which generation a replica serves.
    GATEWAY_ACKS = topic("gateway-acks", KEYED, days(1), "tenant/api/environment", &[McpGateway], &[DeploymentWorker]);
    /// Who did what.
    AUDIT_LOG = topic("audit-log", KEYED, days(90), "tenant", ALL_SERVICES, ANYONE);
    /// Something that a person should know.
    NOTIFICATIONS = topic("notifications", KEYED, days(14), "tenant", ALL_SERVICES, ANYONE);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique_and_found() {
        let names: BTreeSet<_> = ALL.iter().map(|topic| topic.name).collect();
        assert_eq!(names.len(), ALL.len());
        assert_eq!(Topic::named("deploy-orders"), Some(&DEPLOY_ORDERS));
        assert_eq!(Topic::named("no-such-topic"), None);
    }

    #[test]
    fn orders_and_their_state_have_the_same_partitions() {
        assert_eq!(DEPLOY_ORDERS.partitions, DEPLOYMENT_STATE.partitions);
    }

    #[test]
    fn nothing_outside_writes_orders_or_the_catalogue() {
        for topic in ALL {
            let request = ["deploy-requests", "api-registration"].contains(&topic.name);
            assert_eq!(topic.writers.contains(&Outside), request, "{}", topic.name);
        }
    }
}

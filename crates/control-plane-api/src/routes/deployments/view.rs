//! A deployment as the API shows it: the orders of one group.

use jiff::Timestamp;
use serde::Serialize;

use crate::{deployments::status, store::DeploymentRow};

#[derive(Debug, Serialize)]
pub(super) struct DeploymentView {
    id: String,
    tenant_id: String,
    api_id: String,
    environment: String,
    /// `apply` or `remove`.
    kind: String,
    version: String,
    status: &'static str,
    /// The commit that wanted it.
    commit: String,
    /// The commit whose content of the API it is.
    content_commit: String,
    deployed_by: String,
    trace_id: String,
    started_at: Timestamp,
    completed_at: Option<Timestamp>,
    error_message: Option<String>,
    gateways: Vec<GatewayView>,
}

#[derive(Debug, Serialize)]
struct GatewayView {
    gateway: String,
    order_id: String,
    status: String,
    reason: Option<String>,
    message: Option<String>,
    completed_at: Option<Timestamp>,
}

impl DeploymentView {
    /// Of a group of orders; none if it is empty.
    pub(super) fn of(orders: &[DeploymentRow]) -> Option<Self> {
        let first = orders.first()?;
        let ended: Option<Vec<Timestamp>> = orders.iter().map(|order| order.finished_at).collect();
        let failure = orders.iter().find(|order| order.status == "failed");
        Some(Self {
            id: first.group.clone(),
            tenant_id: first.tenant.clone(),
            api_id: first.api.clone(),
            environment: first.environment.clone(),
            kind: first.kind.clone(),
            version: first.version.clone(),
            status: status(orders),
            commit: first.commit.clone(),
            content_commit: first.content_commit.clone(),
            deployed_by: first.actor.clone(),
            trace_id: first.trace.clone(),
            started_at: first.ordered_at,
            completed_at: ended.and_then(|ended| ended.into_iter().max()),
            error_message: failure.and_then(|order| order.message.clone().or_else(|| order.reason.clone())),
            gateways: orders.iter().map(GatewayView::of).collect(),
        })
    }
}

impl GatewayView {
    fn of(order: &DeploymentRow) -> Self {
        Self {
            gateway: order.gateway.clone(),
            order_id: order.order_id.clone(),
            status: order.status.clone(),
            reason: order.reason.clone(),
            message: order.message.clone(),
            completed_at: order.finished_at,
        }
    }
}

/// The answer to whoever wants something deployed: what to look at.
#[derive(Debug, Serialize)]
pub(super) struct AcceptedView {
    /// The deployment; none if nothing had to be changed and nothing was deployed before.
    pub(super) id: Option<String>,
    pub(super) tenant_id: String,
    pub(super) api_id: String,
    pub(super) environment: String,
    pub(super) status: &'static str,
    pub(super) commit: String,
    /// False if the repository wanted the same already.
    pub(super) changed: bool,
    /// Whether the same is brought to the gateways once more. If neither, this is the newest deployment there is.
    pub(super) synced: bool,
}

//! What each gateway was last ordered to do about each API.

use domain::{
    id::{Digest, Generation},
    name::{ApiName, EnvironmentName, GatewayName, TenantName},
};
use sqlx::{Row as _, any::AnyRow};
use uuid::Uuid;

use super::{Error, Store, Tx};

/// The newest order about one API, environment and gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ordered {
    pub(crate) tenant: TenantName,
    pub(crate) api: ApiName,
    pub(crate) environment: EnvironmentName,
    pub(crate) gateway: GatewayName,
    pub(crate) order_id: Uuid,
    /// `apply` or `remove`.
    pub(crate) kind: String,
    pub(crate) digest: Digest,
    pub(crate) generation: Generation,
    /// The gateway as it was then, as JSON: a removal needs it when the gateway's document is gone.
    pub(crate) target: String,
}

impl Store {
    /// The newest order of everything.
    pub(crate) async fn ordered(&self) -> Result<Vec<Ordered>, Error> {
        let rows = sqlx::query(
            "SELECT tenant, api, environment, gateway, order_id, kind, digest, epoch, revision, target FROM ordered",
        )
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(ordered).collect()
    }

    /// Remembers an order.
    pub(crate) async fn put_ordered(&self, tx: &mut Tx, order: &Ordered) -> Result<(), Error> {
        sqlx::query(
            "INSERT INTO ordered (tenant, api, environment, gateway, order_id, kind, digest, epoch, revision, target) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
             ON CONFLICT (tenant, api, environment, gateway) DO UPDATE SET order_id = excluded.order_id, \
             kind = excluded.kind, digest = excluded.digest, epoch = excluded.epoch, \
             revision = excluded.revision, target = excluded.target",
        )
        .bind(order.tenant.to_string())
        .bind(order.api.to_string())
        .bind(order.environment.to_string())
        .bind(order.gateway.to_string())
        .bind(order.order_id.to_string())
        .bind(order.kind.clone())
        .bind(order.digest.to_string())
        .bind(order.generation.epoch.0)
        .bind(order.generation.revision.0)
        .bind(order.target.clone())
        .execute(&mut **tx)
        .await?;
        Ok(())
    }
}

fn ordered(row: &AnyRow) -> Result<Ordered, Error> {
    let text = |at: usize| -> Result<String, sqlx::Error> { row.try_get(at) };
    let order_id = text(4)?;
    let read = || -> Option<Ordered> {
        Some(Ordered {
            tenant: text(0).ok()?.parse().ok()?,
            api: text(1).ok()?.parse().ok()?,
            environment: text(2).ok()?.parse().ok()?,
            gateway: text(3).ok()?.parse().ok()?,
            order_id: Uuid::try_parse(&order_id).ok()?,
            kind: text(5).ok()?,
            digest: text(6).ok()?.parse().ok()?,
            generation: Generation {
                epoch: domain::id::Epoch(row.try_get(7).ok()?),
                revision: domain::id::Revision(row.try_get(8).ok()?),
            },
            target: text(9).ok()?,
        })
    };
    read().ok_or(Error::Corrupt { table: "ordered", row: order_id.clone() })
}

//! Records and enums that several topics share.

mod change;
mod document;
mod environment;
mod gateway;
mod order;
mod routing;

pub use self::{
    change::Change,
    document::Document,
    environment::Variable,
    gateway::{GatewayKind, GatewayTarget},
    order::{OrderKind, Outcome},
    routing::{Authentication, Policies, Upstream},
};

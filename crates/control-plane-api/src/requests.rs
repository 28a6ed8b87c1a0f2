//! The door for programs outside the platform: requests that come by topic.
//!
//! Each is checked in the order that `docs/signed-requests.md` gives, ends with one outcome, and has the same
//! effect as a call of the REST API: a commit. One file per topic.

mod arrival;
mod door;
mod on_api_registration;
mod on_deploy_request;
mod refused;

pub(crate) use self::{
    door::Door, on_api_registration::OnApiRegistration, on_deploy_request::OnDeployRequest,
};

#[cfg(test)]
mod tests;

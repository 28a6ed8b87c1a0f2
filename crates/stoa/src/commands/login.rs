//! Sign in.

use serde_json::json;

use crate::{
    cli::{Global, Login},
    session,
};

pub(super) async fn run(global: &Global, arguments: &Login) -> anyhow::Result<()> {
    let session = session::sign_in(global, arguments).await?;
    let shown = json!({
        "user": session.user,
        "api": session.api,
        "issuer": session.issuer,
        "expires_at": session.expires_at,
    });
    global.output.write(&shown, || format!("signed in as {} until {:.0}", session.user, session.expires_at))
}

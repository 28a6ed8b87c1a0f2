//! Files of the repository, as people write them.

use std::collections::BTreeMap;

use crate::backend::BACKEND;

/// Paths with their texts; nothing removes the file or the folder.
pub(crate) type Files = BTreeMap<String, Option<String>>;

/// A tenant that may deploy to `dev`; `more` are further lines of its spec.
pub(crate) fn tenant(name: &str, more: &str) -> (String, Option<String>) {
    let text = format!(
        "apiVersion: stoa.io/v1\nkind: Tenant\nmetadata:\n  name: {name}\nspec:\n  displayName: {name}\n  \
         environments: [dev]\n{more}"
    );
    (format!("tenants/{name}/tenant.yaml"), Some(text))
}

/// Members of a tenant, as `name role`.
pub(crate) fn users(tenant: &str, members: &[(&str, &str)]) -> (String, Option<String>) {
    let mut text = "apiVersion: stoa.io/v1\nkind: Users\nspec:\n  users:\n".to_owned();
    text.extend(members.iter().map(|(name, role)| {
        format!("    - username: {name}\n      email: {name}@{tenant}.example\n      roles: [{role}]\n")
    }));
    (format!("tenants/{tenant}/users.yaml"), Some(text))
}

/// An API with its document, whose backend is the tests' one under `base`.
pub(crate) fn api(tenant: &str, name: &str, base: &str) -> Files {
    let backend = &*BACKEND;
    let api = format!(
        "apiVersion: stoa.io/v1\nkind: API\nmetadata:\n  name: {name}\n  version: 1.0.0\nspec:\n  \
         displayName: {name}\n  backend:\n    url: {backend}/{base}\n"
    );
    Files::from([
        (format!("tenants/{tenant}/apis/{name}/api.yaml"), Some(api)),
        (format!("tenants/{tenant}/apis/{name}/openapi.yaml"), Some(openapi())),
    ])
}

/// That the API runs in `dev`.
pub(crate) fn deployment(tenant: &str, api: &str) -> (String, Option<String>) {
    let text = "apiVersion: stoa.io/v1\nkind: Deployment\nspec:\n  follow: head\n  gateways: [builtin]\n";
    (format!("tenants/{tenant}/apis/{api}/deployments/dev.yaml"), Some(text.to_owned()))
}

/// An API that runs in `dev`.
pub(crate) fn deployed(tenant: &str, name: &str, base: &str) -> Files {
    let mut files = api(tenant, name, base);
    files.extend([deployment(tenant, name)]);
    files
}

/// A document with two operations.
pub(crate) fn openapi() -> String {
    "openapi: 3.1.0
info: {title: Greetings, version: '1'}
paths:
  /hello:
    get:
      operationId: hello
      summary: Says hello
      parameters:
        - {name: name, in: query, schema: {type: string}}
      responses: {'200': {description: ok, content: {application/json: {schema: {type: object}}}}}
  /letters:
    post:
      operationId: write
      requestBody:
        required: true
        content: {application/json: {schema: {type: object, properties: {text: {type: string}}}}}
      responses: {'200': {description: ok, content: {application/json: {schema: {type: object}}}}}
"
    .to_owned()
}

//! `rmcp` as a client that knows nothing of us, in both eras.

use rmcp::{
    ServiceExt as _,
    model::{CallToolRequestParams, ProtocolVersion},
    service::{ClientLifecycleMode, ClientServiceExt as _},
    transport::{StreamableHttpClientTransport, streamable_http_client::StreamableHttpClientTransportConfig},
};
use runtime::{HttpSettings, http_client};
use serde_json::json;

use crate::world::World;

fn transport(world: &World) -> StreamableHttpClientTransport<reqwest::Client> {
    let config =
        StreamableHttpClientTransportConfig::with_uri(world.url("/mcp")).auth_header(world.token("acme"));
    // It takes compressed answers, as such clients do.
    let client = http_client(&HttpSettings::default()).unwrap();
    StreamableHttpClientTransport::with_client(client, config)
}

macro_rules! lists_and_calls {
    ($client:expr) => {
        let client = $client;
        let tools = client.list_all_tools().await.unwrap();
        assert_eq!(tools.len(), 8 + 3);
        let arguments = json!({"name": "Tom"}).as_object().unwrap().clone();
        let call = CallToolRequestParams::new("acme--pets--create").with_arguments(arguments);
        let result = client.call_tool(call).await.unwrap();
        assert_eq!(result.structured_content, Some(json!({"name": "Tom", "id": "7"})));
        assert_eq!(result.is_error, Some(false));
        let info = client.call_tool(CallToolRequestParams::new("stoa_platform_info")).await.unwrap();
        assert_eq!(info.structured_content.unwrap()["environment"], "dev");
        assert!(client.call_tool(CallToolRequestParams::new("no-such-tool")).await.is_err());
        client.cancel().await.unwrap();
    };
}

#[actix_web::test]
async fn a_client_with_a_handshake_lists_and_calls() {
    let world = World::with_pets();
    lists_and_calls!(().serve(transport(&world)).await.unwrap());
}

#[actix_web::test]
async fn a_client_without_a_handshake_lists_and_calls() {
    let world = World::with_pets();
    let lifecycle = ClientLifecycleMode::Discover { preferred_versions: vec![ProtocolVersion::V_2026_07_28] };
    lists_and_calls!(().serve_with_lifecycle(transport(&world), lifecycle).await.unwrap());
}

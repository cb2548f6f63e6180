//! Content as an application has it: opened from a configuration, and shown over MCP.

use serde_json::{Value, json};
use trimaran::model::{Namespace, NewObject};
use trimaran::secret::PasswordParameters;
use trimaran::{Config, ContentExt as _, Opener, Resources, Stores};

#[path = "../../examples/mcp_resources.rs"]
#[allow(dead_code, reason = "its main is not called")]
mod mcp_resources;

async fn opened(folder: &std::path::Path) -> Stores {
    let config = Config::builder()
        .environment([])
        .set("data_directory", folder.join("data").to_str().unwrap())
        .load()
        .unwrap();
    Opener::new(&config).passwords(PasswordParameters::LEAST).open().await.unwrap()
}

/// What the server answers, message by message.
async fn told(resources: &Resources, messages: &[Value]) -> Vec<Value> {
    let input: String = messages.iter().map(|message| format!("{message}\n")).collect();
    let mut output = Vec::new();
    mcp_resources::serve(resources, input.as_bytes(), &mut output).await.unwrap();
    let output = String::from_utf8(output).unwrap();
    output.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn content_of_the_installation_and_of_a_tenant_is_there_after_opening_again() {
    let dir = tempfile::tempdir().unwrap();
    let stores = opened(dir.path()).await;
    let ann = stores.tenants().create("ann").await.unwrap();
    stores.content().put(Namespace::Templates, "t", NewObject::new("everybody's")).await.unwrap();
    let own = stores.tenant(ann.id).await.unwrap().content();
    own.put(Namespace::Templates, "t", NewObject::new("ann's")).await.unwrap();
    stores.close().await.unwrap();

    let stores = opened(dir.path()).await;
    let (_, bytes) = stores.content().read(Namespace::Templates, "t").await.unwrap().unwrap();
    assert_eq!(bytes.as_ref(), b"everybody's");
    let own = stores.tenant(ann.id).await.unwrap().content();
    assert_eq!(own.read(Namespace::Templates, "t").await.unwrap().unwrap().1.as_ref(), b"ann's");
    stores.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mcp_server_lists_and_reads_and_refuses_as_the_protocol_says() {
    let dir = tempfile::tempdir().unwrap();
    let stores = opened(dir.path()).await;
    stores.content().put(Namespace::Reports, "weekly.txt", NewObject::new("all is well")).await.unwrap();
    stores.content().put(Namespace::Reports, "x.png", NewObject::new(b"\xff".as_slice())).await.unwrap();
    let resources = Resources::new(stores.content()).page_size(1);
    let request = |id: u32, method: &str, params: Value| json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
    let first = told(
        &resources,
        &[
            request(1, "initialize", json!({ "protocolVersion": "2025-06-18", "capabilities": {} })),
            json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }),
            request(2, "resources/list", json!({})),
            request(3, "resources/read", json!({ "uri": "trimaran://reports/weekly.txt" })),
            request(4, "resources/read", json!({ "uri": "trimaran://reports/none" })),
            request(5, "resources/read", json!({})),
            request(6, "tools/list", json!({})),
            request(7, "resources/list", json!({ "cursor": "nonsense" })),
            json!({ "id": 8 }),
        ],
    )
    .await;
    assert_eq!(first.len(), 8, "a notification is not answered");
    assert_eq!(first[0]["result"]["protocolVersion"], "2025-06-18");
    assert_eq!(first[0]["result"]["capabilities"], json!({ "resources": {} }));
    let listed = &first[1]["result"];
    assert_eq!(listed["resources"][0]["uri"], "trimaran://reports/weekly.txt");
    assert_eq!(listed["resources"][0]["mimeType"], "text/plain");
    assert_eq!(listed["resources"][0]["size"], 11);
    assert_eq!(first[2]["result"]["contents"][0]["text"], "all is well");
    let codes: Vec<_> = first[3..].iter().map(|answer| answer["error"]["code"].as_i64().unwrap()).collect();
    assert_eq!(codes, [-32002, -32602, -32601, -32602, -32600]);

    let next = request(9, "resources/list", json!({ "cursor": listed["nextCursor"] }));
    let second = told(&resources, &[next]).await;
    assert_eq!(second[0]["result"]["resources"][0]["name"], "x.png");
    stores.close().await.unwrap();
}

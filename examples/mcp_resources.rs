//! Content over the Model Context Protocol: a server of resources, read-only, over standard input and output. `Resources` has the
//! protocol's shapes already, so that all that is left are JSON-RPC's envelopes and error codes.
//!
//! ```sh
//! cargo run --example mcp_resources        # then, line by line, what a client writes:
//! {"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"me","version":"1"}}}
//! {"jsonrpc":"2.0","id":2,"method":"resources/list"}
//! {"jsonrpc":"2.0","id":3,"method":"resources/read","params":{"uri":"trimaran://reports/weekly.txt"}}
//! ```

use std::io::{BufRead, BufReader, Write};

use serde_json::{Value, json};
use trimaran::{Config, Error, ErrorKind, Resources};

/// The version of the protocol that is spoken.
const PROTOCOL: &str = "2025-06-18";

// JSON-RPC 2.0, section 5.1.
const PARSE_ERROR: i64 = -32700;
const INVALID_REQUEST: i64 = -32600;
const METHOD_NOT_FOUND: i64 = -32601;
const INVALID_PARAMS: i64 = -32602;
const INTERNAL_ERROR: i64 = -32603;
/// MCP, "Resources", "Error Handling".
const RESOURCE_NOT_FOUND: i64 = -32002;

#[tokio::main]
async fn main() {
    let served = async {
        let stores = trimaran::open(&Config::load()?).await?;
        // A server for one tenant would show `stores.tenant(id).await?.content()`.
        let resources = Resources::new(stores.content());
        serve(&resources, BufReader::new(std::io::stdin()), std::io::stdout()).await?;
        stores.close().await
    };
    if let Err(error) = served.await {
        eprintln!("error: {}", error.report());
        std::process::exit(1);
    }
}

/// Answers one message per line until there are no more.
pub(crate) async fn serve(
    resources: &Resources,
    input: impl BufRead + Send,
    mut output: impl Write + Send,
) -> trimaran::Result<()> {
    let failed =
        |error: std::io::Error| Error::new(ErrorKind::Unavailable, "speak with the client").source(error);
    for line in input.lines() {
        if let Some(response) = answer(resources, &line.map_err(failed)?).await {
            writeln!(output, "{response}").and_then(|()| output.flush()).map_err(failed)?;
        }
    }
    Ok(())
}

/// What is answered to a message; nothing to a notification.
async fn answer(resources: &Resources, line: &str) -> Option<Value> {
    let Ok(message) = serde_json::from_str::<Value>(line) else {
        return Some(refusal(&Value::Null, PARSE_ERROR, "this is no JSON"));
    };
    let Some(method) = message["method"].as_str().filter(|_| message["jsonrpc"] == "2.0") else {
        return Some(refusal(&message["id"], INVALID_REQUEST, "this is no request of JSON-RPC 2.0"));
    };
    let id = message.get("id")?;
    let params = &message["params"];
    let result = match method {
        "initialize" => Ok(json!({
            "protocolVersion": PROTOCOL,
            "capabilities": { "resources": {} },
            "serverInfo": { "name": "trimaran", "version": env!("CARGO_PKG_VERSION") },
        })),
        "ping" => Ok(json!({})),
        "resources/list" => resources.list(params["cursor"].as_str()).await.map(|page| json!(page)),
        "resources/read" => match params["uri"].as_str() {
            Some(uri) => resources.read(uri).await.map(|read| json!(read)),
            None => return Some(refusal(id, INVALID_PARAMS, "params.uri is missing")),
        },
        other => return Some(refusal(id, METHOD_NOT_FOUND, &format!("there is no method {other}"))),
    };
    Some(match result {
        Ok(result) => json!({ "jsonrpc": "2.0", "id": id, "result": result }),
        Err(error) => refusal(id, code(&error), &error.to_string()),
    })
}

fn code(error: &Error) -> i64 {
    match error.kind() {
        ErrorKind::NotFound => RESOURCE_NOT_FOUND,
        ErrorKind::Invalid => INVALID_PARAMS,
        _ => INTERNAL_ERROR,
    }
}

fn refusal(id: &Value, code: i64, message: &str) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": message } })
}

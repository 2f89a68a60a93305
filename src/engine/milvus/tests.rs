//! The contract on a real Milvus, where one is named: `ARTIFICIO_MILVUS_URL=http://127.0.0.1:19530`, see `tests/milvus/run`.

use std::time::Duration;

use super::*;
use crate::engine::contract;

fn access(url: &str) -> MilvusAccess {
    MilvusAccess {
        url: url.into(),
        ca_file: std::env::var_os("ARTIFICIO_MILVUS_CA").unwrap_or_default().into(),
        token_file: "".into(),
        // Aliases are of the whole server.
        prefix: format!("test_{}", crate::clock::now_us()),
        timeout: Duration::from_secs(20),
        search_timeout: Duration::from_secs(20),
    }
}

#[test]
fn it_keeps_the_contract() {
    let Ok(url) = std::env::var("ARTIFICIO_MILVUS_URL") else {
        eprintln!("SKIPPED: ARTIFICIO_MILVUS_URL names no Milvus; tests/milvus/run brings one up");
        return;
    };
    let engine = MilvusEngine::new(&access(&url)).unwrap();
    eprintln!("{}", engine.version().unwrap());
    contract::holds_for(&engine);
}

#[test]
fn where_nobody_listens_is_an_outage_and_what_is_no_address_is_said() {
    // Bound and never listened on: nobody else gets this port meanwhile.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let engine = MilvusEngine::new(&access(&format!("http://127.0.0.1:{port}"))).unwrap();
    contract::is_an_outage(&engine);
    let reason = engine.version().unwrap_err().to_string();
    assert!(reason.contains("connection refused"), "{reason}");
    let Err(trouble) = MilvusEngine::new(&access("not an address")) else { panic!("it is none") };
    assert!(trouble.to_string().contains("no address of an engine"), "{trouble}");
    let secret = MilvusAccess { token_file: "/nowhere/token".into(), ..access("http://127.0.0.1:1") };
    assert!(MilvusEngine::new(&secret).is_err_and(|trouble| trouble.path == std::path::Path::new("/nowhere/token")));
}

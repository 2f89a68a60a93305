//! The contract on a real Milvus, where one is named: `ARTIFICIO_MILVUS_URL=http://127.0.0.1:19530`, see `tests/milvus/run`.

use std::io::Write;
use std::net::TcpListener;
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
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let engine = MilvusEngine::new(&access(&format!("http://127.0.0.1:{port}"))).unwrap();
    contract::is_an_outage(&engine);
    let reason = engine.version().unwrap_err().to_string();
    assert!(reason.contains("connection refused"), "{reason}");
    let Err(trouble) = MilvusEngine::new(&access("not an address")) else { panic!("it is none") };
    assert!(trouble.to_string().contains("no address of an engine"), "{trouble}");
    let secret = MilvusAccess { token_file: "/nowhere/token".into(), ..access("http://127.0.0.1:1") };
    assert!(MilvusEngine::new(&secret).is_err_and(|trouble| trouble.path == std::path::Path::new("/nowhere/token")));
}

#[test]
fn one_that_is_silent_is_an_outage_in_time() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let soon = Duration::from_millis(50);
    let engine = MilvusEngine::new(&MilvusAccess { timeout: soon, search_timeout: soon, ..access(&url) }).unwrap();
    // The second time by another connection.
    for _ in 0..2 {
        let error = engine.version().unwrap_err();
        assert!(error.is_outage() && error.to_string().contains("does not answer in time"), "{error}");
    }
}

#[test]
fn with_tls_authorities_are_needed_and_the_other_end_must_have_it() {
    let folder = tempfile::tempdir().unwrap();
    let ca_file = folder.path().join("ca.pem");
    let plain = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", plain.local_addr().unwrap());
    let encrypted = MilvusAccess { ca_file: ca_file.clone(), ..access(&url) };
    assert!(MilvusEngine::new(&encrypted).is_err_and(|trouble| trouble.what.contains("could not read")));
    std::fs::write(&ca_file, "no certificate").unwrap();
    assert!(MilvusEngine::new(&encrypted).is_err_and(|trouble| trouble.what.contains("holds no certificates")));
    std::fs::write(&ca_file, "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n").unwrap();
    let engine = MilvusEngine::new(&encrypted).unwrap();
    let other = thread::spawn(move || {
        let (mut stream, _) = plain.accept().unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
    });
    let error = engine.version().unwrap_err();
    other.join().unwrap();
    assert!(error.is_outage() && error.to_string().contains("see `url` and `ca_file`"), "{error}");
}

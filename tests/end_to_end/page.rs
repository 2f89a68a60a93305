//! `artificio serve` beside the running service: a picture is sent, its answer is heard of, its matches are seen; and what must not work.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::time::Duration;

use artificio_demo::Food;
use serde_json::{Value, json};

use super::pictures::jpeg;
use super::workplace::{Workplace, found, put};

/// Nothing here takes that long, however busy the machine is.
const LONG: Duration = Duration::from_secs(60);

/// The page on a workplace; it ends with this.
pub struct Page {
    process: Child,
    /// Host and port.
    pub address: String,
}

impl Drop for Page {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Page {
    /// Starts it.
    pub fn on(workplace: &Workplace, more: &[&str]) -> Self {
        let arguments = [&["serve", "--listen", "127.0.0.1:0"], more].concat();
        let mut process = workplace.artificio(&arguments).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("the page is at http://").unwrap().trim_end_matches('/').to_string();
        Self { process, address }
    }

    fn send(&self, head: &str, body: &[u8]) -> TcpStream {
        let mut socket = TcpStream::connect(&self.address).unwrap();
        socket.set_read_timeout(Some(LONG)).unwrap();
        let length = if body.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
        socket.write_all(format!("{head}\r\n{length}\r\n").as_bytes()).unwrap();
        // Refused before the body is read, it may be closed by then.
        let _ = socket.write_all(body);
        socket
    }

    /// Status, head and body of the response.
    fn ask(&self, line: &str, headers: &str, body: &[u8]) -> (u16, String, Vec<u8>) {
        let mut response = Vec::new();
        self.send(&format!("{line} HTTP/1.1\r\n{headers}"), body).read_to_end(&mut response).unwrap();
        let end = response.windows(4).position(|bytes| bytes == b"\r\n\r\n").expect("a head") + 4;
        let head = String::from_utf8(response[..end].to_vec()).unwrap();
        (head[9..12].parse().unwrap(), head, response[end..].to_vec())
    }

    fn get(&self, path: &str) -> (u16, Vec<u8>) {
        let (status, head, body) = self.ask(&format!("GET {path}"), &format!("Host: {}", self.address), b"");
        assert!(head.contains("default-src 'none'") && head.contains("nosniff"), "{head}");
        (status, body)
    }

    fn json(&self, path: &str) -> Value {
        let (status, body) = self.get(path);
        assert_eq!(status, 200, "{path}: {}", String::from_utf8_lossy(&body));
        serde_json::from_slice(&body).unwrap()
    }

    /// Asks; the name of the query.
    fn question(&self, question: &Value, pictures: &[u8]) -> Result<String, u16> {
        let body = [format!("{question}\n").as_bytes(), pictures].concat();
        let origin =
            format!("Host: {0}\r\nOrigin: http://{0}\r\nContent-Type: application/x-artificio-ask", self.address);
        let (status, _, body) = self.ask("POST /ask", &origin, &body);
        let reply: Value = serde_json::from_slice(&body).unwrap();
        if status == 200 { Ok(reply["query"].as_str().unwrap().into()) } else { Err(status) }
    }

    /// Lines of the stream of events.
    fn events(&self) -> impl Iterator<Item = String> {
        let socket = self.send(&format!("GET /events HTTP/1.1\r\nHost: {}", self.address), b"");
        BufReader::new(socket).lines().map(|line| line.expect("an event"))
    }
}

/// The data of the first event of this kind that is as it should be.
fn heard(events: &mut impl Iterator<Item = String>, kind: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    while let Some(line) = events.next() {
        if line == format!("event: {kind}") {
            let data = events.next().unwrap();
            let data: Value = serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap();
            if is_so(&data) {
                return data;
            }
        }
    }
    panic!("the stream ended without {kind}");
}

fn sent(name: &str, picture: &[u8]) -> Value {
    json!({"pictures": [{"name": name, "bytes": picture.len()}]})
}

#[test]
fn a_picture_sent_to_the_page_is_answered_shown_and_asked_again() {
    let mut workplace = Workplace::new();
    workplace.stock(3);
    workplace.start();
    let page = Page::on(&workplace, &[]);
    let mut events = page.events();
    assert_eq!(heard(&mut events, "status", |_| true)["is_running"], true);
    let picture = jpeg(Food::Burger, 3_000);
    assert_eq!(page.question(&sent("../dinner.jpg", &picture), &picture), Ok("dinner.jpg".into()));
    let row = heard(&mut events, "answer", |row| row["answer"]["name"] == "dinner.jpg");
    assert_eq!(row["key"], "result_dinner");
    assert_eq!(page.json("/answers?text=dinner")["answers"], json!([row]));
    let answer = page.json("/answer?key=result_dinner");
    let record = workplace.record("dinner").unwrap();
    let paths: Vec<String> =
        answer["matches"].as_array().unwrap().iter().map(|one| one["path"].as_str().unwrap().into()).collect();
    assert_eq!(paths, found(&record));
    let at = |of: &str, n: usize, side: &str| {
        format!("/picture?key=result_dinner&at={}&of={of}&n={n}{side}", answer["time"])
    };
    let (status, small) = page.get(&at("match", 0, "&side=360"));
    assert!(status == 200 && small.starts_with(b"\xFF\xD8\xFF"));
    assert_eq!(page.get(&at("match", 0, "")), (200, fs::read(workplace.inventory(&paths[0])).unwrap()));
    assert_eq!(page.get(&at("query", 0, "")), (200, picture));
    assert_eq!(page.get("/sheet?key=result_dinner").0, 200);
    // "Not this": the same picture with an example.
    let again = json!({"from": {"key": "result_dinner", "at": answer["time"], "keeps_query": true, "not": [0]}});
    assert_eq!(page.question(&again, b""), Ok("dinner, again".into()));
    let row = heard(&mut events, "answer", |row| row["answer"]["name"] == "dinner, again");
    let record: Value = serde_json::from_slice(&fs::read(workplace.record_path("dinner, again")).unwrap()).unwrap();
    assert!(record["query"]["not"][0]["path"].as_str().unwrap().ends_with(&paths[0]));
    assert_eq!(row["answer"]["files"], 1);
    workplace.stop();
    heard(&mut events, "status", |status| status["is_running"] == false);
}

#[test]
fn the_page_lets_in_its_own_requests_and_reads_what_records_name() {
    let workplace = Workplace::with_settings("[limits]\nmax_file_megabytes = 1");
    put(workplace.inventory("a.jpg"), &jpeg(Food::Pizza, 1));
    put(workplace.root().join("secret"), b"secret");
    std::os::unix::fs::symlink(workplace.root().join("secret"), workplace.inventory("link.jpg")).unwrap();
    let record = json!({"status": "ok", "message": "", "answered_s": 7, "query": {"name": "q", "files": []},
        "matches": [{"path": "a.jpg"}, {"path": "link.jpg"}, {"path": "gone.jpg"}]});
    put(workplace.record_path("q"), record.to_string().as_bytes());
    put(workplace.record_path("evil"), record.to_string().replace("a.jpg", "../../secret").as_bytes());
    let page = Page::on(&workplace, &[]);
    let host = format!("Host: {}", page.address);
    let status = |line: &str, headers: &str, body: &[u8]| page.ask(line, headers, body).0;
    assert_eq!(status("GET /", &host, b""), 200);
    assert_eq!(status("GET /", "Host: evil.example", b""), 421);
    assert_eq!(status("GET /answers", &format!("{host}\r\nOrigin: http://evil.example"), b""), 403);
    assert_eq!(
        status("GET /picture?key=result_q&at=7&of=match&n=0", &format!("{host}\r\nSec-Fetch-Site: cross-site"), b""),
        403
    );
    let form = format!("{host}\r\nContent-Type: text/plain");
    assert_eq!(status("POST /ask", &form, b"{}\n"), 415);
    assert_eq!(status("POST /ask", &format!("{form}\r\nTransfer-Encoding: chunked"), b""), 411);
    for (n, expected) in [(0, 200), (1, 404), (2, 404), (3, 404)] {
        assert_eq!(page.get(&format!("/picture?key=result_q&at=7&of=match&n={n}")).0, expected, "{n}");
        assert_eq!(page.get(&format!("/picture?key=result_q&at=7&of=match&n={n}&side=360")).0, expected, "{n}");
    }
    for path in [
        "/../secret",
        "/%2e%2e/secret",
        "/page/..%2fsecret",
        "/answer?key=../secret",
        "/answer?key=result_evil",
        "/sheet?key=result_q",
    ] {
        assert_eq!(page.get(path).0, 404, "{path}");
    }
    let large = vec![0; (1 << 20) + 1];
    assert_eq!(page.question(&sent("large.jpg", &large), &large), Err(413));
    assert_eq!(fs::read_dir(workplace.root().join("query")).unwrap().count(), 0);
    // Without the service a question is kept, and the page says that nobody answers.
    assert_eq!(heard(&mut page.events(), "status", |_| true)["is_running"], false);
    assert_eq!(page.question(&sent("kept.jpg", b"abc"), b"abc"), Ok("kept.jpg".into()));
    assert_eq!(fs::read(workplace.query("kept.jpg")).unwrap(), b"abc");
}

#[test]
fn another_address_needs_a_token_and_the_token_opens_the_page() {
    let workplace = Workplace::new();
    let refused = workplace.run(&["serve", "--listen", "0.0.0.0:0"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8(refused.stderr).unwrap().contains("--token-file"));
    let file = workplace.root().join("token");
    put(&file, b"a token that is long enough\n");
    let page = Page::on(&workplace, &["--token-file", file.to_str().unwrap(), "--host", "pictures.example"]);
    let host = "Host: pictures.example";
    assert_eq!(page.ask("GET /", host, b"").0, 401);
    assert_eq!(page.ask("GET /answers", host, b"").0, 401);
    assert_eq!(page.ask("POST /ask", host, b"{}\n").0, 401);
    assert_eq!(page.ask("POST /token", host, b"token=wrong").0, 401);
    let (status, head, _) = page.ask("POST /token", host, b"token=a+token+that+is+long+enough");
    let cookie = head.lines().find_map(|line| line.strip_prefix("Set-Cookie: ")).unwrap().split(';').next().unwrap();
    assert!(status == 303 && head.contains("HttpOnly; SameSite=Strict") && !head.contains("long enough"), "{head}");
    assert_eq!(page.ask("GET /answers", &format!("{host}\r\nCookie: {cookie}"), b"").0, 200);
    assert_eq!(
        page.ask("GET /answers", &format!("{host}\r\nAuthorization: Bearer a token that is long enough"), b"").0,
        200
    );
}

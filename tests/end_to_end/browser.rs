//! Chromium without a screen, told what to do through its debugging pipe: <https://chromedevtools.github.io/devtools-protocol/>.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// Nothing here takes that long, however busy the machine is.
const LONG: Duration = Duration::from_secs(60);

/// A window with one page.
pub struct Browser {
    process: Child,
    commands: ChildStdin,
    replies: BufReader<ChildStdout>,
    session: Option<String>,
    last: u64,
    _profile: tempfile::TempDir,
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Browser {
    /// Opens `url` in a window of this width and height.
    pub fn open(chromium: &str, url: &str, size: (u32, u32)) -> Self {
        let profile = tempfile::tempdir().unwrap();
        // The pipe is file 3 for commands and file 4 for replies, which a shell makes of standard input and output.
        let mut process = Command::new("sh")
            .args(["-c", "exec \"$@\" 3<&0 4>&1 </dev/null >/dev/null", "sh", chromium])
            .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--remote-debugging-pipe"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // Ctrl-C in a terminal ends the test, which then ends the browser.
            .process_group(0)
            .spawn()
            .unwrap();
        let (commands, replies) = (process.stdin.take().unwrap(), BufReader::new(process.stdout.take().unwrap()));
        let mut browser = Self { process, commands, replies, session: None, last: 0, _profile: profile };
        let target = browser.call("Target.createTarget", &json!({"url": "about:blank"}))["targetId"].clone();
        let attached = browser.call("Target.attachToTarget", &json!({"targetId": target, "flatten": true}));
        browser.session = Some(attached["sessionId"].as_str().unwrap().into());
        browser.resize(size);
        browser.call("Page.navigate", &json!({"url": url}));
        browser.wait("document.readyState === 'complete' && location.href !== 'about:blank'");
        browser
    }

    /// The result of a command of the protocol.
    fn call(&mut self, method: &str, parameters: &Value) -> Value {
        self.reply(method, parameters).unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    /// What Chromium replies to a command of the protocol, its error included.
    fn reply(&mut self, method: &str, parameters: &Value) -> Result<Value, Value> {
        self.last += 1;
        let mut command = json!({"id": self.last, "method": method, "params": parameters});
        if let Some(session) = &self.session {
            command["sessionId"] = session.as_str().into();
        }
        self.commands.write_all(format!("{command}\0").as_bytes()).unwrap();
        loop {
            let mut message = Vec::new();
            self.replies.read_until(0, &mut message).unwrap();
            assert_eq!(message.pop(), Some(0), "Chromium ended");
            let message: Value = serde_json::from_slice(&message).unwrap();
            if message["id"] == self.last {
                return message.get("error").map_or_else(|| Ok(message["result"].clone()), |error| Err(error.clone()));
            }
        }
    }

    /// The value of an expression, which may be a promise.
    pub fn value(&mut self, expression: &str) -> Value {
        self.evaluated(expression).unwrap_or_else(|error| panic!("{expression}: {error}"))
    }

    /// The value of an expression, or why Chromium cannot say it.
    fn evaluated(&mut self, expression: &str) -> Result<Value, Value> {
        let asked = json!({"expression": expression, "awaitPromise": true, "returnByValue": true});
        let reply = self.reply("Runtime.evaluate", &asked)?;
        assert!(reply.get("exceptionDetails").is_none(), "{expression}: {reply}");
        Ok(reply["result"]["value"].clone())
    }

    /// Waits until an expression is true. While one page gives way to the next, nothing is.
    pub fn wait(&mut self, expression: &str) {
        let deadline = Instant::now() + LONG;
        while !self.evaluated(&format!("Boolean({expression})")).is_ok_and(|value| value == true) {
            assert!(Instant::now() < deadline, "never so: {expression}\n{}", self.value("document.body.innerText"));
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Loads the page once more and waits for it.
    pub fn reload(&mut self) {
        self.value("window.left = true");
        self.call("Page.reload", &json!({}));
        self.wait("!window.left && document.readyState === 'complete'");
    }

    /// Gives the window another size.
    pub fn resize(&mut self, (width, height): (u32, u32)) {
        let metrics = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600});
        self.call("Emulation.setDeviceMetricsOverride", &metrics);
    }

    /// Drops a file on the page.
    pub fn drop_file(&mut self, name: &str, bytes: &[u8]) {
        let bytes = STANDARD.encode(bytes);
        let script = format!(
            "const bytes = Uint8Array.from(atob('{bytes}'), letter => letter.charCodeAt(0));
            const dataTransfer = new DataTransfer();
            dataTransfer.items.add(new File([bytes], {}, {{ type: 'image/jpeg' }}));
            document.body.dispatchEvent(new DragEvent('drop', {{ dataTransfer, bubbles: true, cancelable: true }}));",
            Value::from(name)
        );
        self.value(&format!("(() => {{ {script} }})()"));
    }

    /// What axe-core finds serious or critical; nothing where it is not at hand. `.ci/run` gets it.
    pub fn accessibility_faults(&mut self) -> Vec<String> {
        let Some(axe) = std::env::var_os("ARTIFICIO_AXE") else { return Vec::new() };
        let script = std::fs::read_to_string(axe).unwrap();
        self.value(&format!("{script}; true"));
        let faults = self.value(
            "axe.run().then(found => found.violations.filter(fault => ['serious', 'critical'].includes(fault.impact))
                .map(fault => fault.id + ': ' + fault.nodes.map(node => node.html).join(' | ')))",
        );
        faults.as_array().unwrap().iter().map(|fault| fault.as_str().unwrap().to_string()).collect()
    }

    /// Presses a key, such as "ArrowRight" with number 39. The number is what makes Escape (27) close a dialog.
    pub fn press(&mut self, key: &str, number: u32) {
        for kind in ["keyDown", "keyUp"] {
            let event = json!({"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": number});
            self.call("Input.dispatchKeyEvent", &event);
        }
    }

    /// Writes what is seen into a PNG file.
    pub fn screenshot(&mut self, path: &Path) {
        let picture = self.call("Page.captureScreenshot", &json!({"format": "png"}));
        std::fs::write(path, STANDARD.decode(picture["data"].as_str().unwrap()).unwrap()).unwrap();
    }
}

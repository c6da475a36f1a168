//! A real browser without a window, driven by the `WebDriver` protocol (W3C) so that it lives by the clock of the wall: the clock that headless
//! browsers keep for pages does not wait for images to be decoded.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::around;

/// How long a page may take on a machine that has other work.
const PATIENCE: Duration = Duration::from_mins(2);

pub(crate) struct Browser {
    driver: Child,
    /// Of the session, without a slash at the end.
    address: String,
    agent: ureq::Agent,
}

impl Browser {
    /// None where there is none, which is said. Sized as a phone is wide and as high as the page may get.
    pub(crate) fn installed(profile: &Path) -> Option<Self> {
        let program = around::installed(&["chromedriver"], "--version")?;
        let mut driver = Command::new(program).arg("--port=0").stdout(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(driver.stdout.take().unwrap()).lines();
        let port = said.find_map(|line| {
            let line = line.unwrap();
            let (_, port) = line.split_once("started successfully on port ")?;
            port.trim_end_matches('.').parse::<u16>().ok()
        });
        // What it says later is read, so that it never waits for a reader.
        thread::spawn(move || said.for_each(drop));
        let patience =
            ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).http_status_as_error(false);
        let mut browser = Self {
            driver,
            address: format!("http://127.0.0.1:{}/session", port.unwrap()),
            agent: patience.build().into(),
        };
        let profile = format!("--user-data-dir={}", profile.display());
        let session = browser.asks(
            "",
            &json!({ "capabilities": { "alwaysMatch": {
                "browserName": "chrome",
                "goog:loggingPrefs": { "browser": "ALL" },
                "goog:chromeOptions": { "args": [
                    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
                    "--disable-component-update", "--disable-sync", "--window-size=390,4000", profile,
                ] },
            } } }),
        );
        browser.address =
            format!("{}/{}", browser.address, session.get("sessionId").and_then(Value::as_str).unwrap());
        Some(browser)
    }

    pub(crate) fn opens(&self, page: &Path) {
        self.asks("/url", &json!({ "url": format!("file://{}", page.display()) }));
    }

    /// Waits until this expression of the page is true; tells whether it was in time.
    pub(crate) fn sees(&self, expression: &str) -> bool {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if self.evaluates(expression) == true {
                return true;
            }
            thread::sleep(Duration::from_millis(50));
        }
        false
    }

    pub(crate) fn evaluates(&self, expression: &str) -> Value {
        self.asks("/execute/sync", &json!({ "script": format!("return {expression}"), "args": [] }))
    }

    /// What the page and its policy complained of since the last question.
    pub(crate) fn complaints(&self) -> Vec<Value> {
        self.asks("/se/log", &json!({ "type": "browser" })).as_array().unwrap().clone()
    }

    fn asks(&self, command: &str, body: &Value) -> Value {
        let mut answer = self.agent.post(format!("{}{command}", self.address)).send_json(body).unwrap();
        let status = answer.status();
        let mut said: Value = answer.body_mut().read_json().unwrap();
        assert!(status.is_success(), "{command}: {said}");
        said.get_mut("value").unwrap().take()
    }
}

impl Drop for Browser {
    /// The browser ends with its session, the driver by its signal.
    fn drop(&mut self) {
        let _ = self.agent.delete(&self.address).call();
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

//! A worker beside a store.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::programs::terminated;

/// A `sticker-store worker` of its own; ended when dropped.
#[derive(Debug)]
pub struct Worker {
    process: Child,
    log: PathBuf,
}

impl Worker {
    pub(crate) fn start(mut command: Command, log: PathBuf) -> Self {
        let file = File::create(&log).expect("a log file");
        let process = command
            .arg("worker")
            .stdin(Stdio::null())
            .stdout(file.try_clone().expect("a log file"))
            .stderr(file)
            .spawn()
            .expect("the worker starts");
        Self { process, log }
    }

    /// Everything that it has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Asks it to end, as a deployment does, and gives its exit code.
    pub fn stop(mut self) -> i32 {
        let log = self.log.clone();
        terminated(&mut self.process, || std::fs::read_to_string(&log).unwrap_or_default())
    }

    /// Ends it at once, as a power cut does.
    pub fn crash(mut self) {
        self.process.kill().expect("the worker is ended");
        self.process.wait().expect("the worker is gone");
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

//! Section `publishing`.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::ConfigError;

/// How releases come, and what their check may cost.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.default.toml documents every field, once")]
pub struct Publishing {
    pub upload_seconds: u32,
    pub checks_at_once: u32,
    pub checks_waiting: u32,
    pub check_memory_bytes: u64,
    pub check_cpu_seconds: u32,
    pub check_seconds: u32,
    /// The `sticker-store` that is started for each check; a program that has the store in it, such as a test, checks there, without bounds.
    #[serde(skip)]
    pub program: Option<PathBuf>,
}

impl Publishing {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let refused = |key, message| Err(ConfigError::Refused { key, message });
        // What S3 allows is a week; what a check needs for the largest files a release may have is less than the least.
        if !(10..=604_800).contains(&self.upload_seconds) {
            return refused("publishing.upload_seconds", "it is 10 to 604800");
        }
        if !(1..=256).contains(&self.checks_at_once) || self.checks_waiting > 10_000 {
            return refused(
                "publishing.checks_at_once",
                "it is 1 to 256, and publishing.checks_waiting at most 10000",
            );
        }
        if self.check_memory_bytes < 256 << 20 {
            return refused("publishing.check_memory_bytes", "it is at least 268435456");
        }
        if self.check_cpu_seconds == 0 || !(1..=3_600).contains(&self.check_seconds) {
            return refused(
                "publishing.check_seconds",
                "it is 1 to 3600, and publishing.check_cpu_seconds at least 1",
            );
        }
        Ok(())
    }
}

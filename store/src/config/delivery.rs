//! Section `delivery`.

use serde::{Deserialize, Serialize};

use super::ConfigError;

/// How downloads are answered.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.default.toml documents every field, once")]
pub struct Delivery {
    pub mode: DeliveryMode,
    pub canonical_base: String,
    pub cache_bytes: usize,
    pub memory_object_bytes: u64,
    pub negotiated_per_second: u32,
    pub variants: Variants,
    pub stored_density: u16,
    pub rendered_bytes: u64,
    pub renders_at_once: u32,
    pub renders_waiting: u32,
}

/// How a negotiated address is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DeliveryMode {
    /// With the object.
    Stream,
    /// With the canonical address of the object.
    Redirect,
}

/// Which variants of a release are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Variants {
    /// All that the packer built.
    Prebuilt,
    /// The masters and one density; the others are made of the masters when somebody asks.
    OnDemand,
}

impl Variants {
    /// The name in settings, commands and rows.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Prebuilt => "prebuilt",
            Self::OnDemand => "on-demand",
        }
    }

    /// Reads the name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Prebuilt, Self::OnDemand].into_iter().find(|mode| mode.name() == name)
    }
}

impl Delivery {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let refused = |key, message| Err(ConfigError::Refused { key, message });
        let base = self.canonical_base.as_str();
        let has_form = base.starts_with("https://") || base.starts_with("http://");
        if !base.is_empty() && (!has_form || base.contains(['@', '?', '#']) || !base.is_ascii()) {
            return refused(
                "delivery.canonical_base",
                "it begins with https:// or http:// and has no user, query or fragment",
            );
        }
        if !(1..=4096).contains(&self.stored_density) {
            return refused("delivery.stored_density", "it is 1 to 4096");
        }
        if !(1..=256).contains(&self.renders_at_once) || self.renders_waiting > 10_000 {
            return refused(
                "delivery.renders_at_once",
                "it is 1 to 256, and delivery.renders_waiting at most 10000",
            );
        }
        Ok(())
    }
}

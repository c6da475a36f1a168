//! The configuration: defaults that are compiled in, then a file, then the environment. Unknown names are refused.

pub mod apple;
mod delivery;
pub mod google;
mod layers;
mod objects;
mod product;
mod publishing;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize, Serializer};
use toml::Value;

use crate::db;
use crate::money::{Currency, Money};
use crate::web::peer::{Forwarding, Network};
pub use delivery::{Delivery, DeliveryMode, Variants};
use layers::{invalid, merge, nested, parsed, wrong_form};
pub use objects::{Checksums, Objects, ObjectsKind};
pub use publishing::Publishing;

/// The documented defaults.
pub const DEFAULTS: &str = include_str!("../config.default.toml");
/// What the names of environment variables begin with.
const PREFIX: &str = "STICKER_STORE__";

/// Everything that an operator can set; `config.default.toml` says what each means.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.default.toml documents every field, once")]
pub struct Config {
    pub environment: Environment,
    pub data_dir: PathBuf,
    pub server: Server,
    pub database: Database,
    pub objects: Objects,
    pub token: Token,
    pub account: Account,
    pub purchase: Purchase,
    pub publishing: Publishing,
    pub delivery: Delivery,
    pub worker: Worker,
    pub tiers: BTreeMap<String, BTreeMap<String, i64>>,
}

/// Whether real people and money are behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Environment {
    /// Somebody tries it.
    Development,
    /// People depend on it.
    Production,
}

/// Section `server`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.default.toml documents every field, once")]
pub struct Server {
    pub listen: SocketAddr,
    pub public_url: String,
    pub trusted_proxies: Vec<Network>,
    pub forwarding: Forwarding,
    pub max_connections: u32,
    pub patience_seconds: u32,
}

/// Section `database`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.default.toml documents every field, once")]
pub struct Database {
    /// It may hold a password.
    pub url: Redacted,
    pub max_connections: u32,
}

/// Section `token`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.default.toml documents every field, once")]
pub struct Token {
    pub lifetime_seconds: u32,
    pub master_key: Redacted,
    pub master_key_file: String,
    pub propagation_seconds: u32,
    pub checks_per_second: u32,
}

/// A secret in the configuration. Prints, and is written, as whether it is set.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct Redacted(String);

impl Redacted {
    /// The secret, where one is set.
    pub fn expose(&self) -> Option<&str> {
        Some(self.0.as_str()).filter(|secret| !secret.is_empty())
    }
}

impl std::fmt::Display for Redacted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_empty() { "" } else { "(set)" })
    }
}

impl std::fmt::Debug for Redacted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "\"{self}\"")
    }
}

impl Serialize for Redacted {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Section `account`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.default.toml documents every field, once")]
pub struct Account {
    pub launch_code_seconds: u32,
    pub session_seconds: u32,
}

/// Section `purchase`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.default.toml documents every field, once")]
pub struct Purchase {
    pub sandbox: bool,
    pub currency: String,
    pub apple: apple::Apple,
    pub google: google::Google,
    pub codes_per_minute: u32,
    pub lookups_per_minute: u32,
    pub gifts: Gifts,
}

/// Section `purchase.gifts`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.default.toml documents every field, once")]
pub struct Gifts {
    pub ios: bool,
    pub android: bool,
    pub web: bool,
    pub code_days: u32,
}

impl Gifts {
    /// Whether gifts are sold on this platform, as the messenger named it at launch; one that it did not name counts as the web.
    pub fn on(&self, platform: Option<&str>) -> bool {
        match platform {
            Some("ios") => self.ios,
            Some("android") => self.android,
            _ => self.web,
        }
    }
}

/// Section `worker`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.default.toml documents every field, once")]
pub struct Worker {
    pub in_serve: bool,
    pub poll_milliseconds: u32,
    pub concurrency: u32,
}

/// Why a configuration is refused. Never shows a value: it may be a password.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// Not TOML, an unknown name, or a value of the wrong form; told by its place alone.
    #[error("{origin}: {message}")]
    Invalid {
        /// The file, or `the environment`.
        origin: String,
        /// What is wrong and where.
        message: String,
    },
    /// Values that do not go together.
    #[error("`{key}`: {message}")]
    Refused {
        /// The setting.
        key: &'static str,
        /// Why it is refused and what to do.
        message: &'static str,
    },
}

impl Config {
    /// Reads the defaults, then `file`, then the variables of the environment that begin with `STICKER_STORE__`.
    ///
    /// # Errors
    /// [`ConfigError`] names the setting.
    pub fn load(
        file: Option<&Path>,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let mut table = parsed(DEFAULTS, "the defaults")?;
        if let Some(path) = file {
            let text = std::fs::read_to_string(path)
                .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
            let origin = path.display().to_string();
            merge(&mut table, parsed(&text, &origin)?, "", &origin)?;
        }
        for (name, value) in environment {
            if let Some(path) = name.strip_prefix(PREFIX) {
                let keys = path.to_ascii_lowercase();
                merge(&mut table, nested(&mut keys.split("__"), &value), "", &name)?;
            }
        }
        // What serde says of a value repeats it.
        let config: Self = serde_path_to_error::deserialize(Value::Table(table))
            .map_err(|error| invalid("the configuration", wrong_form(&error.path().to_string())))?;
        config.check()?;
        Ok(config)
    }

    /// Every setting as it is in force, as TOML; secrets say only that they are set.
    ///
    /// # Errors
    /// Where a value has no form in TOML, which no setting is.
    pub fn shown(&self) -> Result<String, toml::ser::Error> {
        toml::to_string(self)
    }

    /// The address that people reach the store by, without a slash at the end.
    pub fn public_url(&self) -> String {
        match self.server.public_url.trim_end_matches('/') {
            "" => format!("http://{}", self.server.listen),
            url => url.to_owned(),
        }
    }

    /// The URL of the database; a SQLite file in the data folder by default.
    pub fn database_url(&self) -> String {
        match self.database.url.expose() {
            None => format!("sqlite://{}?mode=rwc", self.data_dir.join("store.sqlite").display()),
            Some(url) => url.to_owned(),
        }
    }

    /// The file with the key that seals the token keys.
    pub fn master_key_file(&self) -> PathBuf {
        match self.token.master_key_file.as_str() {
            "" => self.data_dir.join("master.key"),
            path => path.into(),
        }
    }

    /// What a pack of this tier costs, or that it is free; `None` for a tier that is not configured.
    pub fn price(&self, tier: &str) -> Option<Option<Money>> {
        let amounts = self.tiers.get(tier)?;
        let currency = self.purchase.currency.parse::<Currency>().ok()?;
        let minor = amounts.get(&self.purchase.currency).copied().filter(|&minor| minor > 0);
        Some(minor.map(|minor| Money { minor, currency }))
    }

    fn check(&self) -> Result<(), ConfigError> {
        let refused = |key, message| Err(ConfigError::Refused { key, message });
        let production = self.environment == Environment::Production;
        if production && self.purchase.sandbox {
            return refused("purchase.sandbox", "test money buys nothing in production; set it to false");
        }
        if production && !self.server.public_url.starts_with("https://") {
            return refused(
                "server.public_url",
                "sessions need https in production; set it to the store's https address",
            );
        }
        // It is shown to everybody.
        if self.server.public_url.contains('@') {
            return refused("server.public_url", "it has no user, no password and no other @ in it");
        }
        let url = self.public_url();
        if !url.starts_with("https://") && !url.starts_with("http://") {
            return refused("server.public_url", "it begins with https:// or http://");
        }
        if let Some(Err(message)) = self.database.url.expose().map(db::check_url) {
            return refused("database.url", message);
        }
        if self.database.max_connections == 0 {
            return refused("database.max_connections", "it is at least 1");
        }
        if self.purchase.currency.parse::<Currency>().is_err() {
            return refused("purchase.currency", "it is three capital letters, such as KRW");
        }
        self.purchase.apple.check(production)?;
        self.purchase.google.check(production)?;
        if self.tiers.values().flat_map(BTreeMap::values).any(|&minor| minor < 0) {
            return refused("tiers", "an amount is not below zero");
        }
        if !(4..=30 * 86_400).contains(&self.token.lifetime_seconds) {
            return refused("token.lifetime_seconds", "it is 4 to 2592000");
        }
        if production && self.token.propagation_seconds < 60 {
            return refused(
                "token.propagation_seconds",
                "verifiers ask for keys every 30 seconds; in production it is at least 60",
            );
        }
        if self.token.checks_per_second == 0 {
            return refused("token.checks_per_second", "it is at least 1");
        }
        if self.purchase.codes_per_minute == 0 {
            return refused("purchase.codes_per_minute", "it is at least 1");
        }
        if self.purchase.lookups_per_minute == 0 {
            return refused("purchase.lookups_per_minute", "it is at least 1");
        }
        if !(1..=3650).contains(&self.purchase.gifts.code_days) {
            return refused("purchase.gifts.code_days", "it is 1 to 3650");
        }
        if self.server.max_connections == 0 || !(1..=3_600).contains(&self.server.patience_seconds) {
            return refused("server", "max_connections is at least 1, patience_seconds 1 to 3600");
        }
        self.objects.check()?;
        self.publishing.check()?;
        self.delivery.check()?;
        if self.worker.poll_milliseconds == 0 || !(1..=1_000).contains(&self.worker.concurrency) {
            return refused("worker", "poll_milliseconds is at least 1, concurrency 1 to 1000");
        }
        if self.account.launch_code_seconds == 0 || self.account.session_seconds == 0 {
            return refused("account", "a lifetime is at least one second");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loaded(variables: &[(&str, &str)]) -> Result<Config, String> {
        let variables =
            variables.iter().map(|(name, value)| (format!("STICKER_STORE__{name}"), (*value).to_owned()));
        Config::load(None, variables).map_err(|error| error.to_string())
    }

    #[test]
    fn the_documented_defaults_are_a_configuration() {
        let config = loaded(&[]).unwrap();
        assert_eq!(config.public_url(), "http://127.0.0.1:8080");
        assert_eq!(config.price("free"), Some(None));
        assert_eq!(config.price("tier1").unwrap().unwrap().minor, 1200);
        assert_eq!(config.price("tier99"), None);
    }

    #[test]
    fn the_environment_goes_over_the_defaults() {
        let config =
            loaded(&[("TOKEN__LIFETIME_SECONDS", "120"), ("SERVER__PUBLIC_URL", "https://a.example/")])
                .unwrap();
        assert_eq!((config.token.lifetime_seconds, config.public_url().as_str()), (120, "https://a.example"));
    }

    #[test]
    fn unknown_settings_and_values_that_do_not_go_together_are_refused_by_name() {
        assert!(loaded(&[("SERVER__LISTN", "x")]).unwrap_err().contains("there is no setting `listn`"));
        assert!(loaded(&[("SERVER__LISTEN", "x")]).is_err());
        let production = [("ENVIRONMENT", "production"), ("SERVER__PUBLIC_URL", "https://a.example")];
        assert!(loaded(&production).is_ok());
        let with_sandbox = [&production[..], &[("PURCHASE__SANDBOX", "true")]].concat();
        assert!(loaded(&with_sandbox).unwrap_err().starts_with("`purchase.sandbox`"));
        assert!(loaded(&production[..1]).unwrap_err().starts_with("`server.public_url`"));
        let waits = |seconds| [&production[..], &[("TOKEN__PROPAGATION_SECONDS", seconds)]].concat();
        assert!(loaded(&waits("59")).unwrap_err().starts_with("`token.propagation_seconds`"));
        assert!(loaded(&waits("60")).is_ok());
        assert!(loaded(&[("TOKEN__PROPAGATION_SECONDS", "0")]).is_ok());
        assert!(loaded(&[("WORKER__CONCURRENCY", "0")]).unwrap_err().starts_with("`worker`"));
        assert!(loaded(&[("SERVER__LISTEN", "[::1]:8080")]).is_ok());
        let proxies =
            |list| loaded(&[("SERVER__TRUSTED_PROXIES", list)]).map(|it| it.server.trusted_proxies.len());
        assert_eq!(proxies(r#"["10.0.0.0/8", "::1"]"#), Ok(2));
        assert!(proxies(r#"["10.0.0.0/99"]"#).unwrap_err().contains("server.trusted_proxies"));
        for base in ["cdn.example", "https://user@cdn.example", "https://cdn.example/?x"] {
            let refused = loaded(&[("DELIVERY__CANONICAL_BASE", base)]).unwrap_err();
            assert!(refused.starts_with("`delivery.canonical_base`"), "{refused}");
        }
        assert!(loaded(&[("DATABASE__MAX_CONNECTIONS", "0")]).unwrap_err().contains("max_connections"));
    }
}

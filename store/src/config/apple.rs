//! Section `purchase.apple`.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize};
use sticker_protocol::PackId;

use super::google::{KEEPS_SECRETS, keeps_secrets};
use super::{ConfigError, product};
use crate::purchase::word::World;

/// Section `purchase.apple`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.default.toml documents every field, once")]
pub struct Apple {
    pub enabled: bool,
    pub bundle_id: String,
    pub app_id: u64,
    pub environment: AppStoreEnvironment,
    pub product: String,
    /// A text is a list of one, since the environment has no lists.
    #[serde(deserialize_with = "one_or_several")]
    pub roots: Vec<PathBuf>,
    pub issuer_id: String,
    pub key_id: String,
    pub key_file: PathBuf,
    pub server_url: String,
    pub consumption_consent: bool,
    pub timeout_seconds: u32,
    pub sweep_seconds: u32,
}

/// Which of the App Store's worlds a store sells in, by Apple's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub enum AppStoreEnvironment {
    /// Real money.
    Production,
    /// Sandbox accounts and `TestFlight`.
    Sandbox,
}

impl AppStoreEnvironment {
    /// The world of what is bought there.
    pub const fn world(self) -> World {
        match self {
            Self::Production => World::Production,
            Self::Sandbox => World::Sandbox,
        }
    }
}

impl Apple {
    /// What a pack is sold as in App Store Connect. Its product ids have no hyphens: those of the slug become underscores, which no slug
    /// has.
    pub fn product_id(&self, tier: &str, slug: &str, pack: PackId) -> String {
        product::named(&self.product, tier, slug, pack)
    }

    /// Whether a product may be one of ours, and not another of the same app.
    pub fn sells_as(&self, product: &str) -> bool {
        product::matches(&self.product, product)
    }

    /// Whether one product stands for several packs, and has to be consumable so that a customer can buy it again.
    pub fn sells_by_tier(&self) -> bool {
        !product::is_of_one_pack(&self.product)
    }

    /// The app's id, where there is one.
    pub fn app_id(&self) -> Option<u64> {
        Some(self.app_id).filter(|&id| id > 0)
    }

    /// Whether there is a key for the App Store Server API.
    pub fn has_key(&self) -> bool {
        !self.key_file.as_os_str().is_empty()
    }

    /// Where the App Store Server API is, without a slash at the end.
    pub fn server_url(&self) -> &str {
        match (self.server_url.trim_end_matches('/'), self.environment) {
            ("", AppStoreEnvironment::Production) => "https://api.storekit.apple.com",
            ("", AppStoreEnvironment::Sandbox) => "https://api.storekit-sandbox.apple.com",
            (url, _) => url,
        }
    }

    /// How long one request to Apple may take, from the first look at its name to the last byte.
    pub fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_seconds.into())
    }

    pub(super) fn check(&self, production: bool) -> Result<(), ConfigError> {
        let refused = |key, message| Err(ConfigError::Refused { key, message });
        if !self.enabled {
            return Ok(());
        }
        if !is_name(&self.bundle_id, |byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte)) {
            return refused(
                "purchase.apple.bundle_id",
                "it is the app's bundle id, such as com.example.messenger",
            );
        }
        if production && self.environment != AppStoreEnvironment::Production {
            return refused(
                "purchase.apple.environment",
                "what is bought in the sandbox is not paid; set it to Production, and have testers use another store",
            );
        }
        if self.environment == AppStoreEnvironment::Production && self.app_id == 0 {
            return refused(
                "purchase.apple.app_id",
                "notifications name the app's id in Production; App Store Connect shows it as Apple ID",
            );
        }
        let sample = self.product.replace("{tier}", "t").replace("{slug}", "s").replace("{pack}", "1");
        let of_packs = sample != self.product;
        if !of_packs || !is_name(&sample, |byte| byte.is_ascii_alphanumeric() || b"_.".contains(&byte)) {
            return refused(
                "purchase.apple.product",
                "it has letters, digits, _ and ., and at least one of {tier}, {slug} and {pack}",
            );
        }
        let given = [!self.issuer_id.is_empty(), !self.key_id.is_empty(), self.has_key()];
        if given.contains(&true) && given.contains(&false) {
            return refused(
                "purchase.apple.key_file",
                "issuer_id, key_id and key_file are given all three, or none where Apple is asked nothing",
            );
        }
        if production && !self.has_key() {
            return refused(
                "purchase.apple.key_file",
                "without a key for the App Store Server API what was lost stays lost; give issuer_id, key_id and key_file",
            );
        }
        if !self.server_url.is_empty() && !keeps_secrets(&self.server_url) {
            return refused("purchase.apple.server_url", KEEPS_SECRETS);
        }
        if !(1..=60).contains(&self.timeout_seconds) {
            return refused("purchase.apple.timeout_seconds", "it is 1 to 60");
        }
        if !(60..=86_400).contains(&self.sweep_seconds) {
            return refused("purchase.apple.sweep_seconds", "it is 60 to 86400");
        }
        Ok(())
    }
}

/// As long as App Store Connect allows.
fn is_name(name: &str, may: impl Fn(u8) -> bool) -> bool {
    (1..=100).contains(&name.len()) && name.bytes().all(may)
}

fn one_or_several<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<PathBuf>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Roots {
        One(PathBuf),
        Several(Vec<PathBuf>),
    }
    Ok(match Roots::deserialize(deserializer)? {
        Roots::One(root) => vec![root],
        Roots::Several(roots) => roots,
    })
}

#[cfg(test)]
mod tests {
    use super::super::Config;

    fn loaded(changes: &[(&str, &str)]) -> Result<Config, String> {
        let usual = [
            ("PURCHASE__APPLE__ENABLED", "true"),
            ("PURCHASE__APPLE__BUNDLE_ID", "com.example.messenger"),
            ("PURCHASE__APPLE__APP_ID", "1234567890"),
            ("PURCHASE__APPLE__ISSUER_ID", "57246542-96fe-1a63-e053-0824d011072a"),
            ("PURCHASE__APPLE__KEY_ID", "2X9R4HXF34"),
            ("PURCHASE__APPLE__KEY_FILE", "/etc/sticker/AuthKey.p8"),
        ];
        let variables = usual.iter().chain(changes);
        let variables =
            variables.map(|(name, value)| (format!("STICKER_STORE__{name}"), (*value).to_owned()));
        Config::load(None, variables).map_err(|error| error.to_string())
    }

    const PRODUCTION: [(&str, &str); 2] =
        [("ENVIRONMENT", "production"), ("SERVER__PUBLIC_URL", "https://a.example")];

    #[test]
    fn a_product_is_named_by_tier_slug_and_pack_in_the_letters_that_apple_knows() {
        let apple = |product| loaded(&[("PURCHASE__APPLE__PRODUCT", product)]).unwrap().purchase.apple;
        let pack = sticker_protocol::PackId::try_from(77_i64).unwrap();
        assert_eq!(
            apple("com.example.stickers.{tier}").product_id("tier1", "blue-cat", pack),
            "com.example.stickers.tier1"
        );
        assert_eq!(apple("{slug}.{pack}").product_id("tier1", "blue-cat", pack), "blue_cat.77");
    }

    #[test]
    fn apples_server_is_the_environments_unless_another_is_named() {
        let url = |changes: &[_]| loaded(changes).unwrap().purchase.apple.server_url().to_owned();
        assert_eq!(url(&[]), "https://api.storekit.apple.com");
        let sandbox = ("PURCHASE__APPLE__ENVIRONMENT", "Sandbox");
        assert_eq!(url(&[sandbox]), "https://api.storekit-sandbox.apple.com");
        assert_eq!(url(&[("PURCHASE__APPLE__SERVER_URL", "http://127.0.0.1:9/")]), "http://127.0.0.1:9");
    }

    #[test]
    fn roots_are_files_or_one_file() {
        let apple = |changes: &[_]| loaded(changes).unwrap().purchase.apple;
        assert!(apple(&[]).roots.is_empty());
        let one = apple(&[("PURCHASE__APPLE__ROOTS", "/etc/root.pem")]);
        assert_eq!(one.roots, [std::path::Path::new("/etc/root.pem")]);
    }

    #[test]
    fn settings_that_do_not_go_together_are_refused_by_name() {
        loaded(&[]).unwrap();
        loaded(&PRODUCTION).unwrap();
        for (setting, value, told) in [
            ("BUNDLE_ID", "", "bundle_id"),
            ("BUNDLE_ID", "com.example/other", "bundle_id"),
            ("APP_ID", "0", "app_id"),
            ("PRODUCT", "", "product"),
            ("PRODUCT", "stickers", "product"),
            ("PRODUCT", "stickers-{tier}", "product"),
            ("PRODUCT", "{tier}.{other}", "product"),
            ("ISSUER_ID", "", "key_file"),
            ("KEY_ID", "", "key_file"),
            ("KEY_FILE", "", "key_file"),
            ("SERVER_URL", "http://api.example", "server_url"),
            ("SERVER_URL", "https://user@api.example", "server_url"),
            ("TIMEOUT_SECONDS", "61", "timeout_seconds"),
            ("SWEEP_SECONDS", "59", "sweep_seconds"),
        ] {
            let name = format!("PURCHASE__APPLE__{setting}");
            let refused = loaded(&[(&name, value)]).unwrap_err();
            assert!(refused.starts_with(&format!("`purchase.apple.{told}`")), "{value:?}: {refused}");
            // A provider that is off needs no settings that make sense.
            loaded(&[(&name, value), ("PURCHASE__APPLE__ENABLED", "false")]).unwrap();
        }
        assert!(loaded(&[("PURCHASE__APPLE__ENVIRONMENT", "sandbox")]).is_err());
    }

    #[test]
    fn production_takes_nothing_of_the_sandbox_and_can_ask_apple() {
        let with = |changes: &[(&'static str, &'static str)]| loaded(&[&PRODUCTION[..], changes].concat());
        let no_key = [
            ("PURCHASE__APPLE__ISSUER_ID", ""),
            ("PURCHASE__APPLE__KEY_ID", ""),
            ("PURCHASE__APPLE__KEY_FILE", ""),
        ];
        let sandbox = [("PURCHASE__APPLE__ENVIRONMENT", "Sandbox")];
        loaded(&no_key).unwrap();
        loaded(&sandbox).unwrap();
        assert!(with(&no_key).unwrap_err().starts_with("`purchase.apple.key_file`"));
        assert!(with(&sandbox).unwrap_err().starts_with("`purchase.apple.environment`"));
    }
}

//! Section `purchase.google`.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sticker_protocol::PackId;
use ureq::http::Uri;

use super::{ConfigError, product};

/// Section `purchase.google`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "config.default.toml documents every field, once")]
pub struct Google {
    pub enabled: bool,
    pub package: String,
    pub product: String,
    pub consume: bool,
    pub service_account_file: PathBuf,
    pub push_audience: String,
    pub push_email: String,
    pub test_purchases: bool,
    pub api_url: String,
    pub jwks_url: String,
    pub timeout_seconds: u32,
    pub sweep_seconds: u32,
}

impl Google {
    /// Google's name for the product that a pack is sold as. Its names have no hyphens: those of the slug become underscores, which
    /// no slug has.
    pub fn product_id(&self, tier: &str, slug: &str, pack: PackId) -> String {
        product::named(&self.product, tier, slug, pack)
    }

    /// Whether a product may be one of ours, and not another of the same app.
    pub fn sells_as(&self, product: &str) -> bool {
        product::matches(&self.product, product)
    }

    /// Where the Android Publisher API is, without a slash at the end.
    pub fn api_url(&self) -> &str {
        match self.api_url.trim_end_matches('/') {
            "" => GOOGLES_API,
            url => url,
        }
    }

    /// How long one request to Google may take, from the first look at its name to the last byte.
    pub fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_seconds.into())
    }

    /// Whether Google's pushes are listened to.
    pub fn takes_pushes(&self) -> bool {
        self.enabled && !self.push_audience.is_empty()
    }

    pub(super) fn check(&self, production: bool) -> Result<(), ConfigError> {
        let refused = |key, message| Err(ConfigError::Refused { key, message });
        if !self.enabled {
            return Ok(());
        }
        if !is_package(&self.package) {
            return refused("purchase.google.package", "it is the app's name, such as com.example.messenger");
        }
        if self.service_account_file.as_os_str().is_empty() {
            return refused(
                "purchase.google.service_account_file",
                "it is the JSON file with the key of a service account that may see and manage orders",
            );
        }
        let sample = self.product.replace("{tier}", "t").replace("{slug}", "s").replace("{pack}", "1");
        if !is_product(&sample) {
            return refused(
                "purchase.google.product",
                "it has a to z, 0 to 9, _ and . and the names {tier}, {slug} and {pack}",
            );
        }
        if !product::is_of_one_pack(&self.product) && !self.consume {
            return refused(
                "purchase.google.consume",
                "a product that stands for several packs has to be consumed, or nobody can buy a second one; set it to true, or name {pack} or {slug} in product",
            );
        }
        if self.push_audience.is_empty() != self.push_email.is_empty() {
            return refused(
                "purchase.google.push_email",
                "push_audience and push_email are given both, or neither where there is no push",
            );
        }
        if production && self.test_purchases {
            return refused(
                "purchase.google.test_purchases",
                "what license testers buy is not paid; set it to false in production",
            );
        }
        if !self.api_url.is_empty() && !keeps_secrets(&self.api_url) {
            return refused("purchase.google.api_url", KEEPS_SECRETS);
        }
        if !keeps_secrets(&self.jwks_url) {
            return refused("purchase.google.jwks_url", KEEPS_SECRETS);
        }
        if !(1..=60).contains(&self.timeout_seconds) {
            return refused("purchase.google.timeout_seconds", "it is 1 to 60");
        }
        if !(60..=86_400).contains(&self.sweep_seconds) {
            return refused("purchase.google.sweep_seconds", "it is 60 to 86400");
        }
        Ok(())
    }
}

/// Whether what goes to this address can be read by nobody on the way: https, or http on the same machine, without a name or a password
/// in it.
pub(crate) fn keeps_secrets(url: &str) -> bool {
    let Ok(uri) = url.parse::<Uri>() else { return false };
    let Some(authority) = uri.authority() else { return false };
    let plain = !authority.as_str().contains('@') && !authority.host().is_empty();
    plain && (uri.scheme_str() == Some("https") || (uri.scheme_str() == Some("http") && is_this_machine(url)))
}

/// Whether an address is on this machine: no proxy lies between two programs of one machine.
pub(crate) fn is_this_machine(url: &str) -> bool {
    let host = url.parse::<Uri>().ok().and_then(|uri| uri.host().map(str::to_owned));
    host.is_some_and(|host| ["127.0.0.1", "localhost", "[::1]"].contains(&host.as_str()))
}

fn is_package(name: &str) -> bool {
    let part = |part: &str| {
        part.starts_with(|first: char| first.is_ascii_alphabetic())
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    name.len() <= 150 && name.contains('.') && name.split('.').all(part)
}

/// As the Play Console has it: a small letter or a digit first.
fn is_product(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    name.len() <= 100
        && name.bytes().next().is_some_and(plain)
        && name.bytes().all(|byte| plain(byte) || byte == b'_' || byte == b'.')
}

const GOOGLES_API: &str = "https://androidpublisher.googleapis.com";
pub(super) const KEEPS_SECRETS: &str =
    "it begins with https://, or http:// on this machine, and has no user and no password in it";

#[cfg(test)]
mod tests {
    use super::super::Config;

    fn loaded(changes: &[(&str, &str)]) -> Result<Config, String> {
        let usual = [
            ("PURCHASE__GOOGLE__ENABLED", "true"),
            ("PURCHASE__GOOGLE__PACKAGE", "com.example.messenger"),
            ("PURCHASE__GOOGLE__SERVICE_ACCOUNT_FILE", "/etc/sticker/google.json"),
            ("PURCHASE__GOOGLE__PUSH_AUDIENCE", "https://stickers.example/v1/notifications/google"),
            ("PURCHASE__GOOGLE__PUSH_EMAIL", "push@project.iam.gserviceaccount.com"),
        ];
        let variables = usual.iter().chain(changes);
        let variables =
            variables.map(|(name, value)| (format!("STICKER_STORE__{name}"), (*value).to_owned()));
        Config::load(None, variables).map_err(|error| error.to_string())
    }

    #[test]
    fn a_product_is_named_by_tier_slug_and_pack_in_the_letters_that_google_knows() {
        let google = |product| loaded(&[("PURCHASE__GOOGLE__PRODUCT", product)]).unwrap().purchase.google;
        let pack = sticker_protocol::PackId::try_from(77_i64).unwrap();
        assert_eq!(google("sticker_{tier}").product_id("tier1", "blue-cat", pack), "sticker_tier1");
        assert_eq!(google("{slug}.{pack}").product_id("tier1", "blue-cat", pack), "blue_cat.77");
        assert_eq!(google("a").api_url(), "https://androidpublisher.googleapis.com");
    }

    #[test]
    fn settings_that_do_not_go_together_are_refused_by_name() {
        loaded(&[]).unwrap();
        for (setting, value) in [
            ("PACKAGE", ""),
            ("PACKAGE", "com.example/../other"),
            ("SERVICE_ACCOUNT_FILE", ""),
            ("PRODUCT", "Sticker"),
            ("PRODUCT", "sticker_{other}"),
            ("CONSUME", "false"),
            ("PUSH_EMAIL", ""),
            ("API_URL", "http://api.example"),
            ("API_URL", "https://user@api.example"),
            ("JWKS_URL", ""),
            ("JWKS_URL", "http://localhost:1@elsewhere.example/"),
            ("TIMEOUT_SECONDS", "0"),
            ("SWEEP_SECONDS", "59"),
        ] {
            let name = format!("PURCHASE__GOOGLE__{setting}");
            let refused = loaded(&[(&name, value)]).unwrap_err();
            let expected = format!("`purchase.google.{}`", setting.to_ascii_lowercase());
            assert!(refused.starts_with(&expected), "{value:?}: {refused}");
            // A provider that is off needs no settings that make sense.
            loaded(&[(&name, value), ("PURCHASE__GOOGLE__ENABLED", "false")]).unwrap();
        }
        for (setting, value) in [("API_URL", "http://127.0.0.1:9/"), ("JWKS_URL", "http://localhost:9/certs")]
        {
            loaded(&[(&format!("PURCHASE__GOOGLE__{setting}"), value)]).unwrap();
        }
        loaded(&[("PURCHASE__GOOGLE__PUSH_EMAIL", ""), ("PURCHASE__GOOGLE__PUSH_AUDIENCE", "")]).unwrap();
        loaded(&[("PURCHASE__GOOGLE__CONSUME", "false"), ("PURCHASE__GOOGLE__PRODUCT", "p{pack}")]).unwrap();
    }

    #[test]
    fn production_takes_no_test_purchases() {
        let test = ("PURCHASE__GOOGLE__TEST_PURCHASES", "true");
        loaded(&[test]).unwrap();
        let production = [("ENVIRONMENT", "production"), ("SERVER__PUBLIC_URL", "https://a.example")];
        loaded(&production).unwrap();
        let refused = loaded(&[&production[..], &[test]].concat()).unwrap_err();
        assert!(refused.starts_with("`purchase.google.test_purchases`"), "{refused}");
    }
}

//! The Android Publisher API, version 3: the little of it that selling packs needs.
//!
//! <https://developers.google.com/android-publisher/api-ref/rest/v3/purchases.productsv2>, `purchases.products` and
//! `purchases.voidedpurchases` there.

use std::fmt::{self, Write as _};
use std::sync::Arc;

use ring::digest::{SHA256, digest};
use serde::{Deserialize, Deserializer};

use super::service_account::ServiceAccount;
use super::wire::{Answer, Failure, SHORT, Wire};
use crate::config::google::Google;

/// Google's API for one app, with the credentials that it takes.
#[derive(Debug)]
pub struct Api {
    wire: Arc<Wire>,
    account: ServiceAccount,
    base: String,
    consume: bool,
}

/// What names a purchase to Google: whoever has it and the credentials can look it up. Never in logs.
#[derive(Clone, PartialEq, Eq)]
pub struct PurchaseToken(String);

impl PurchaseToken {
    /// A token as an app or Google gives it: 8 to 1,500 visible ASCII characters. Google fixes neither its length nor its alphabet;
    /// those seen have about 150 letters, digits, `.`, `-` and `_`.
    pub fn parse(text: &str) -> Option<Self> {
        let plain = (8..=1_500).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        plain.then(|| Self(text.to_owned()))
    }

    /// The token, for Google and for the rows that have to name the purchase to Google later.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The SHA-256 of the token as 64 hexadecimal digits: names the purchase in the clear, for ever, and of a fixed length. An order id
    /// (`GPA.…`) would not do, since a pending purchase may have none.
    pub fn id(&self) -> String {
        let mut id = String::with_capacity(64);
        for byte in digest(&SHA256, self.0.as_bytes()).as_ref() {
            // Writing to a string does not fail.
            let _ = write!(id, "{byte:02x}");
        }
        id
    }
}

impl fmt::Debug for PurchaseToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PurchaseToken({})", self.id())
    }
}

/// `ProductPurchaseV2`: a purchase of one-time products as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Purchase {
    /// What was bought.
    #[serde(default)]
    pub product_line_item: Vec<LineItem>,
    /// How it stands.
    pub purchase_state_context: StateContext,
    /// There for the purchases of license testers alone.
    pub test_purchase_context: Option<TestContext>,
    /// Google's name for the payment, such as `GPA.1234-5678-9012-34567`; a pending purchase may have none.
    pub order_id: Option<String>,
    /// What the app said of the buyer: the order's id.
    pub obfuscated_external_account_id: Option<String>,
    /// Where the buyer is, ISO 3166-1 alpha-2.
    pub region_code: Option<String>,
    /// When it was paid, RFC 3339.
    pub purchase_completion_time: Option<String>,
    /// Whether it is acknowledged; consuming acknowledges.
    #[serde(default)]
    pub acknowledgement_state: AcknowledgementState,
}

/// `PurchaseStateContext`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StateContext {
    /// The state.
    pub purchase_state: PurchaseState,
}

/// `PurchaseState`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PurchaseState {
    /// Paid.
    Purchased,
    /// Cancelled, refunded or charged back.
    Cancelled,
    /// Promised, such as to be paid in cash.
    Pending,
    /// One that did not exist when this was written.
    #[serde(other)]
    Unknown,
}

/// `TestPurchaseContext`. That it is there says everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct TestContext {}

/// `AcknowledgementState`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum AcknowledgementState {
    /// Google takes the money back after three days.
    #[serde(rename = "ACKNOWLEDGEMENT_STATE_PENDING")]
    Pending,
    /// The purchase stays.
    #[serde(rename = "ACKNOWLEDGEMENT_STATE_ACKNOWLEDGED")]
    Acknowledged,
    /// Unspecified, or one that did not exist when this was written.
    #[default]
    #[serde(other)]
    Unknown,
}

/// `ProductLineItem`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LineItem {
    /// The product.
    pub product_id: String,
    /// How much of it, and what became of it.
    #[serde(default)]
    pub product_offer_details: OfferDetails,
}

/// `ProductOfferDetails`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OfferDetails {
    /// How many; absent for one.
    pub quantity: Option<i64>,
    /// How many of them were not refunded, where Google says so.
    pub refundable_quantity: Option<i64>,
    /// Whether the same product can be bought again.
    #[serde(default)]
    pub consumption_state: ConsumptionState,
}

/// `ConsumptionState`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum ConsumptionState {
    /// The buyer holds it, and can buy no other of the same product.
    #[serde(rename = "CONSUMPTION_STATE_YET_TO_BE_CONSUMED")]
    YetToBeConsumed,
    /// It is used up.
    #[serde(rename = "CONSUMPTION_STATE_CONSUMED")]
    Consumed,
    /// Unspecified, or one that did not exist when this was written.
    #[default]
    #[serde(other)]
    Unknown,
}

/// `VoidedPurchase`: what was cancelled, refunded or charged back, with what it gave revoked.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Voided {
    /// Names the purchase.
    pub purchase_token: String,
    /// Google's name for the payment.
    pub order_id: Option<String>,
    /// When it was voided, in milliseconds since 1970.
    #[serde(deserialize_with = "number_or_text")]
    pub voided_time_millis: i64,
    /// How many were refunded, where not all were.
    pub voided_quantity: Option<i64>,
}

/// A page of the list of voided purchases.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VoidedPage {
    /// What was voided, in no order that is promised.
    pub voided: Vec<Voided>,
    /// What to ask the next page with, unless this is the last.
    pub next: Option<String>,
}

/// Which voided purchases are asked for: from and before, in milliseconds since 1970, by when Google saw them as voided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The first moment, 30 days ago at the earliest.
    pub from_ms: i64,
    /// The last moment, not in the future.
    pub until_ms: i64,
}

impl Api {
    /// The API of the configured app.
    pub fn new(wire: Arc<Wire>, account: ServiceAccount, google: &Google) -> Self {
        let base = format!("{}/androidpublisher/v3/applications/{}", google.api_url(), google.package);
        Self { wire, account, base, consume: google.consume }
    }

    /// Looks a purchase up: `purchases.productsv2.getproductpurchasev2`.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn purchase(&self, token: &PurchaseToken) -> Result<Purchase, Failure> {
        let url = format!("{}/purchases/productsv2/tokens/{}", self.base, encoded(token.expose()));
        self.ask(Ask::Purchase { url }).await?.json()
    }

    /// Tells Google that a purchase was granted: consumes it where the configuration says so, which acknowledges it as well, and
    /// acknowledges it otherwise. The same again changes nothing.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn finish(&self, product: &str, token: &PurchaseToken) -> Result<(), Failure> {
        let verb = if self.consume { "consume" } else { "acknowledge" };
        let (product, token) = (encoded(product), encoded(token.expose()));
        let url = format!("{}/purchases/products/{product}/tokens/{token}:{verb}", self.base);
        self.ask(Ask::Finish { url }).await.map(drop)
    }

    /// A page of what was voided: `purchases.voidedpurchases.list`, of one-time products alone (type 0), with partial refunds.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn voided(&self, window: Window, page: Option<&str>) -> Result<VoidedPage, Failure> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Body {
            #[serde(default)]
            voided_purchases: Vec<Voided>,
            token_pagination: Option<Pagination>,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Pagination {
            next_page_token: Option<String>,
        }
        let mut url = format!(
            "{}/purchases/voidedpurchases?startTime={}&endTime={}&maxResults={PAGE}&type=0\
             &includeQuantityBasedPartialRefund=true",
            self.base, window.from_ms, window.until_ms
        );
        if let Some(page) = page {
            url.push_str("&token=");
            url.push_str(&encoded(page));
        }
        let body: Body = self.ask(Ask::Voided { url }).await?.json()?;
        let next = body.token_pagination.and_then(|page| page.next_page_token);
        Ok(VoidedPage { voided: body.voided_purchases, next: next.filter(|next| !next.is_empty()) })
    }

    /// Asks with an access token, and once more with a fresh one where Google no longer takes it.
    async fn ask(&self, ask: Ask) -> Result<Answer, Failure> {
        let token = self.account.access_token().await?;
        let answer = self.ask_with(&ask, token.expose()).await?;
        if answer.status != 401 {
            return ask.checked(answer);
        }
        self.account.forget(&token).await;
        let token = self.account.access_token().await?;
        ask.checked(self.ask_with(&ask, token.expose()).await?)
    }

    async fn ask_with(&self, ask: &Ask, bearer: &str) -> Result<Answer, Failure> {
        match ask {
            Ask::Purchase { url } => self.wire.get(url.clone(), Some(bearer), SHORT).await,
            Ask::Voided { url } => self.wire.get(url.clone(), Some(bearer), LONG).await,
            Ask::Finish { url } => {
                let nothing = ("application/json", "{}".to_owned());
                self.wire.post(url.clone(), Some(bearer), nothing).await
            }
        }
    }
}

enum Ask {
    Purchase { url: String },
    Finish { url: String },
    Voided { url: String },
}

impl Ask {
    fn checked(&self, answer: Answer) -> Result<Answer, Failure> {
        let status = answer.status;
        match status {
            200 | 204 => Ok(answer),
            400 | 404 | 410 => {
                let reason = reason(&answer);
                Err(if self.is_about_its_token(status, &reason) {
                    Failure::Unknown { status, reason }
                } else {
                    Failure::Misasked { status, reason }
                })
            }
            401 | 403 => {
                let reason = reason(&answer);
                // An exhausted quota may come as a 403 as well.
                if reason.ends_with("LimitExceeded") || reason.starts_with("quotaExceeded") {
                    return Err(Failure::Busy { status, retry_after: answer.retry_after() });
                }
                Err(Failure::Refused { status, reason })
            }
            _ => Err(Failure::Busy { status, retry_after: answer.retry_after() }),
        }
    }

    /// Whether Google says that there is no such purchase, and not that we have asked wrongly, such as for an app that it does not know.
    fn is_about_its_token(&self, status: u16, reason: &str) -> bool {
        match self {
            Self::Voided { .. } => false,
            Self::Purchase { .. } | Self::Finish { .. } => {
                status == 410 || reason.starts_with("purchaseToken") || OF_TOKENS.contains(&reason)
            }
        }
    }
}

/// What Google calls a token that is none, beside `purchaseTokenNotFound`, `purchaseTokenNoLongerValid`,
/// `purchaseTokenDoesNotMatchPackageName` and the like. The first is "often returned for a malformed or invalid purchase token"
/// (<https://developers.google.com/android-publisher/api-ref/rest/v3/purchases.products>, "Error codes"); the second is its older name.
const OF_TOKENS: [&str; 3] = ["invalidValue", "invalid", "invalidPurchaseToken"];

/// Google's name for what is wrong, such as `purchaseTokenNoLongerValid`; empty where it has none. Its message is left out: it may
/// repeat what was asked.
fn reason(answer: &Answer) -> String {
    #[derive(Deserialize)]
    struct Body {
        error: Fault,
    }
    #[derive(Deserialize)]
    struct Fault {
        #[serde(default)]
        errors: Vec<Detail>,
        #[serde(default)]
        status: String,
    }
    #[derive(Deserialize)]
    struct Detail {
        reason: String,
    }
    let Ok(Body { error }) = answer.json::<Body>() else { return String::new() };
    name_of(error.errors.first().map_or(error.status.as_str(), |detail| detail.reason.as_str()))
}

/// The letters of a name, as many as a name has: what somebody else says goes to a log.
pub(super) fn name_of(text: &str) -> String {
    text.chars().filter(|letter| letter.is_ascii_alphanumeric() || *letter == '_').take(60).collect()
}

/// For a segment of a path or the value of a parameter: what is not unreserved becomes `%XX` (RFC 3986, section 2).
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// Google writes numbers of 64 bits as text.
pub(super) fn number_or_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        Number(i64),
        Text(String),
    }
    match Either::deserialize(deserializer)? {
        Either::Number(number) => Ok(number),
        Either::Text(text) => text.parse().map_err(serde::de::Error::custom),
    }
}

/// As many as Google gives at once.
const PAGE: u32 = 1_000;
/// Bytes of a page of a thousand voided purchases, each about 400.
const LONG: u64 = 4 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_purchase_token_is_shown_by_its_hash_alone() {
        let token = PurchaseToken::parse("minodojglppganfb.AO-J1OxyzZ").unwrap();
        assert_eq!(token.id().len(), 64);
        assert!(!format!("{token:?}").contains("minodoj"));
        for bad in ["", "short", "with a space", "with\u{e9}accent", &"x".repeat(1_501)] {
            assert!(PurchaseToken::parse(bad).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn what_is_no_segment_of_a_path_is_encoded() {
        assert_eq!(encoded("a.b-c_d~9"), "a.b-c_d~9");
        assert_eq!(encoded("../x?y#z:%"), "..%2Fx%3Fy%23z%3A%25");
    }

    #[test]
    fn states_and_fields_that_are_new_to_us_do_not_make_a_purchase_unreadable() {
        let text = r#"{"kind":"androidpublisher#productPurchaseV2","productLineItem":[{"productId":"p","productOfferDetails":
            {"quantity":1,"refundableQuantity":1,"consumptionState":"CONSUMPTION_STATE_LENT","offerTags":["x"]}}],
            "purchaseStateContext":{"purchaseState":"DREAMT_OF","more":{}},"testPurchaseContext":{"fopType":"TEST"},
            "acknowledgementState":"ACKNOWLEDGEMENT_STATE_PENDING","somethingElse":[1]}"#;
        let purchase: Purchase = serde_json::from_str(text).unwrap();
        assert_eq!(purchase.purchase_state_context.purchase_state, PurchaseState::Unknown);
        assert_eq!(purchase.acknowledgement_state, AcknowledgementState::Pending);
        assert!(purchase.test_purchase_context.is_some());
        let state = purchase.product_line_item[0].product_offer_details.consumption_state;
        assert_eq!(state, ConsumptionState::Unknown);
        // A purchase whose state is told twice is no purchase.
        let twice = r#"{"purchaseStateContext":{"purchaseState":"PENDING","purchaseState":"PURCHASED"}}"#;
        assert!(serde_json::from_str::<Purchase>(twice).is_err());
    }

    #[test]
    fn what_google_says_goes_to_a_log_as_a_name_alone() {
        assert_eq!(name_of("invalid_grant"), "invalid_grant");
        assert_eq!(name_of("a\nb: \u{1b}[31m c"), "ab31mc");
        assert_eq!(name_of(&"x".repeat(100)).len(), 60);
    }
}

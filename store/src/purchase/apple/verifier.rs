//! Signed by Apple, and about our app in the world that we expect.

use serde::de::DeserializeOwned;
use serde_json::Value;
use sticker_protocol::UnixSeconds;

use super::chain::Chains;
use super::claims::{AppTransaction, Data, ExternalPurchaseToken, NotificationBody, Renewal, Transaction};
use super::jws::{TrustedJws, UntrustedJws};
use super::refusal::{AppFault, EnvironmentFault, Malformed, Refusal};
use super::root::Root;
use crate::purchase::word::World;

/// What everything that is taken must be about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// The app's name for itself, such as `com.example.stickers`.
    pub bundle_id: String,
    /// The app's number in App Store Connect; notifications in production name it. Not looked at where it is `None`.
    pub app_id: Option<u64>,
    /// The App Store's world.
    pub world: World,
}

/// Verifies what the App Store signs.
#[derive(Debug)]
pub struct Verifier {
    chains: Chains,
    expected: Expected,
}

/// Claims that hold, and the whole payload that they are of.
#[derive(Debug)]
pub struct Verified<T> {
    /// What we read of it.
    pub claims: T,
    jws: TrustedJws,
}

/// A notification with what it carries, all of it verified.
#[derive(Debug)]
pub struct Notification {
    /// The notification itself.
    pub body: Verified<NotificationBody>,
    /// The transaction that it is about.
    pub transaction: Option<Verified<Transaction>>,
    /// The renewal that it is about.
    pub renewal: Option<Verified<Renewal>>,
    /// The purchase of the app that it is about.
    pub app_transaction: Option<Verified<AppTransaction>>,
}

impl Verifier {
    /// With the roots to trust.
    pub fn new(roots: Vec<Root>, expected: Expected) -> Self {
        Self { chains: Chains::new(roots), expected }
    }

    /// What everything must be about.
    pub const fn expected(&self) -> &Expected {
        &self.expected
    }

    /// A transaction of our app.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn transaction(&self, jws: &str, now: UnixSeconds) -> Result<Verified<Transaction>, Refusal> {
        let verified: Verified<Transaction> = self.signed(jws, now)?;
        let claims = &verified.claims;
        self.check_app(required(claims.bundle_id.as_deref(), "bundleId")?, None, false)?;
        self.check_world(claims.environment.as_deref())?;
        Ok(verified)
    }

    /// A renewal; it names no app.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn renewal(&self, jws: &str, now: UnixSeconds) -> Result<Verified<Renewal>, Refusal> {
        let verified: Verified<Renewal> = self.signed(jws, now)?;
        self.check_world(verified.claims.environment.as_deref())?;
        Ok(verified)
    }

    /// A notification for our app, with everything signed that it carries. One of a type that Apple had not documented when this was
    /// written need not say what it is about.
    ///
    /// # Errors
    /// [`Refusal`], of the notification or of what it carries.
    pub fn notification(&self, jws: &str, now: UnixSeconds) -> Result<Notification, Refusal> {
        let body: Verified<NotificationBody> = self.signed(jws, now)?;
        let claims = &body.claims;
        required(claims.notification_type.as_deref(), "notificationType")?;
        required(claims.notification_uuid.as_deref(), "notificationUUID")?;
        if claims.version.as_deref().is_some_and(|version| !version.starts_with("2.")) {
            return Err(Malformed::Senseless("version").into());
        }
        let data = match (&claims.data, &claims.summary, &claims.app_data, &claims.external_purchase_token) {
            (Some(data), None, None, None)
            | (None, Some(data), None, None)
            | (None, None, Some(data), None) => data,
            (None, None, None, Some(token)) => {
                self.check_external(token)?;
                return Ok(Notification { body, transaction: None, renewal: None, app_transaction: None });
            }
            // It may be about something that Apple has not thought of yet.
            (None, None, None, None) if !is_known(claims) => {
                return Ok(Notification { body, transaction: None, renewal: None, app_transaction: None });
            }
            (None, None, None, None) => return Err(Malformed::Missing("data").into()),
            _ => return Err(Malformed::Senseless("data").into()),
        };
        self.check_data(data)?;
        let transaction = data.signed_transaction_info.as_deref();
        let transaction = transaction.map(|jws| self.transaction(jws, now)).transpose()?;
        let renewal = data.signed_renewal_info.as_deref();
        let renewal = renewal.map(|jws| self.renewal(jws, now)).transpose()?;
        let app_transaction = data.signed_app_transaction_info.as_deref();
        let app_transaction = app_transaction.map(|jws| self.app_transaction(jws, now)).transpose()?;
        Ok(Notification { body, transaction, renewal, app_transaction })
    }

    fn app_transaction(&self, jws: &str, now: UnixSeconds) -> Result<Verified<AppTransaction>, Refusal> {
        let verified: Verified<AppTransaction> = self.signed(jws, now)?;
        let claims = &verified.claims;
        self.check_app(required(claims.bundle_id.as_deref(), "bundleId")?, claims.app_apple_id, true)?;
        self.check_world(claims.receipt_type.as_deref())?;
        Ok(verified)
    }

    fn signed<T: DeserializeOwned>(&self, jws: &str, now: UnixSeconds) -> Result<Verified<T>, Refusal> {
        let jws = UntrustedJws::parse(jws)?.verify(&self.chains, now)?;
        Ok(Verified { claims: jws.claims()?, jws })
    }

    fn check_data(&self, data: &Data) -> Result<(), Refusal> {
        self.check_app(required(data.bundle_id.as_deref(), "bundleId")?, data.app_apple_id, true)?;
        self.check_world(data.environment.as_deref())
    }

    fn check_external(&self, token: &ExternalPurchaseToken) -> Result<(), Refusal> {
        self.check_app(required(token.bundle_id.as_deref(), "bundleId")?, token.app_apple_id, true)?;
        let id = required(token.external_purchase_id.as_deref(), "externalPurchaseId")?;
        let world = if id.starts_with("SANDBOX") { World::Sandbox } else { World::Production };
        self.check_world(Some(environment(world)))
    }

    /// `names_app` where what is checked has an app id, which is missing in the sandbox alone.
    fn check_app(&self, bundle_id: &str, app_id: Option<u64>, names_app: bool) -> Result<(), AppFault> {
        if bundle_id != self.expected.bundle_id {
            return Err(AppFault::Bundle(bundle_id.to_owned()));
        }
        let may_lack = !names_app || self.expected.world == World::Sandbox;
        match self.expected.app_id {
            Some(expected) if app_id != Some(expected) && !(app_id.is_none() && may_lack) => {
                Err(AppFault::AppId(app_id))
            }
            _ => Ok(()),
        }
    }

    fn check_world(&self, claimed: Option<&str>) -> Result<(), Refusal> {
        let claimed = required(claimed, "environment")?;
        if claimed == environment(self.expected.world) {
            return Ok(());
        }
        Err(EnvironmentFault(claimed.to_owned()).into())
    }
}

impl<T> Verified<T> {
    /// The whole payload, with the members that we don't know.
    ///
    /// # Errors
    /// [`Malformed::Payload`], which claims that were read do not give.
    pub fn payload(&self) -> Result<Value, Malformed> {
        self.jws.claims()
    }
}

impl Notification {
    /// The whole payload, with the payload of each JWS that it carries in that one's place.
    ///
    /// # Errors
    /// [`Malformed::Payload`], which claims that were read do not give.
    pub fn payload(&self) -> Result<Value, Malformed> {
        let mut payload = self.body.payload()?;
        let inner = [
            ("signedTransactionInfo", self.transaction.as_ref().map(Verified::payload)),
            ("signedRenewalInfo", self.renewal.as_ref().map(Verified::payload)),
            ("signedAppTransactionInfo", self.app_transaction.as_ref().map(Verified::payload)),
        ];
        for (name, inner) in inner {
            let Some(inner) = inner.transpose()? else { continue };
            for about in ["data", "summary", "appData"] {
                if let Some(place) = payload.get_mut(about).and_then(|about| about.get_mut(name)) {
                    *place = inner.clone();
                }
            }
        }
        Ok(payload)
    }
}

fn is_known(claims: &NotificationBody) -> bool {
    claims.notification_type.as_deref().is_some_and(|kind| KNOWN_TYPES.contains(&kind))
}

/// `notificationType` as of 2026; each of these says what it is about.
const KNOWN_TYPES: [&str; 23] = [
    "CONSUMPTION_REQUEST",
    "DID_CHANGE_RENEWAL_PREF",
    "DID_CHANGE_RENEWAL_STATUS",
    "DID_FAIL_TO_RENEW",
    "DID_RENEW",
    "EXPIRED",
    "EXTERNAL_PURCHASE_TOKEN",
    "GRACE_PERIOD_EXPIRED",
    "METADATA_UPDATE",
    "MIGRATION",
    "OFFER_REDEEMED",
    "ONE_TIME_CHARGE",
    "PRICE_CHANGE",
    "PRICE_INCREASE",
    "REFUND",
    "REFUND_DECLINED",
    "REFUND_REVERSED",
    "RENEWAL_EXTENDED",
    "RENEWAL_EXTENSION",
    "RESCIND_CONSENT",
    "REVOKE",
    "SUBSCRIBED",
    "TEST",
];

/// What the App Store calls a world.
pub const fn environment(world: World) -> &'static str {
    match world {
        World::Production => "Production",
        World::Sandbox => "Sandbox",
    }
}

fn required<'a>(claim: Option<&'a str>, name: &'static str) -> Result<&'a str, Malformed> {
    claim.filter(|claim| !claim.is_empty()).ok_or(Malformed::Missing(name))
}

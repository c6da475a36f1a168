//! What signed payloads claim, as far as it means something to a store that sells packs. Other members are passed over.
//!
//! Apple documents almost every member as one that may be missing; whoever uses one says what it means when it is. Times are
//! milliseconds since 1970.

use serde::Deserialize;

/// A purchase as of [`Self::signed_date`]: `JWSTransactionDecodedPayload` of the App Store Server API.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(
    missing_docs,
    reason = "Apple's documentation says what each member is; what is not obvious is said here"
)]
pub struct Transaction {
    pub transaction_id: Option<String>,
    pub original_transaction_id: Option<String>,
    pub bundle_id: Option<String>,
    pub product_id: Option<String>,
    pub environment: Option<String>,
    pub signed_date: Option<i64>,
    pub purchase_date: Option<i64>,
    pub quantity: Option<i64>,
    /// `Non-Consumable`, `Consumable`, `Auto-Renewable Subscription` or `Non-Renewing Subscription`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// The UUID that the app gave for the purchase; ours gives the order's id.
    pub app_account_token: Option<String>,
    /// `PURCHASED`, or `FAMILY_SHARED` where somebody else of the family paid.
    pub in_app_ownership_type: Option<String>,
    /// When it was refunded or taken out of the family's hands.
    pub revocation_date: Option<i64>,
    /// 1 where the customer had trouble with the app, 0 otherwise.
    pub revocation_reason: Option<i64>,
    /// `REFUND_FULL`, `REFUND_PRORATED` or `FAMILY_REVOKE`.
    pub revocation_type: Option<String>,
    /// How much of it is refunded, in thousandths of a percent.
    pub revocation_percentage: Option<i64>,
    pub transaction_reason: Option<String>,
    /// The country, as three letters.
    pub storefront: Option<String>,
    /// In thousandths of the currency's major unit.
    pub price: Option<i64>,
    pub currency: Option<String>,
}

/// What becomes of a subscription: `JWSRenewalInfoDecodedPayload`. We sell none; support may have to read one.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "Apple's documentation says what each member is")]
pub struct Renewal {
    pub environment: Option<String>,
}

/// An App Store Server Notification: `responseBodyV2DecodedPayload`. It is about exactly one of the last four.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(
    missing_docs,
    reason = "Apple's documentation says what each member is; what is not obvious is said here"
)]
pub struct NotificationBody {
    pub notification_type: Option<String>,
    pub subtype: Option<String>,
    /// The same when it is sent again.
    #[serde(rename = "notificationUUID")]
    pub notification_uuid: Option<String>,
    pub version: Option<String>,
    pub signed_date: Option<i64>,
    pub data: Option<Data>,
    pub summary: Option<Data>,
    pub app_data: Option<Data>,
    pub external_purchase_token: Option<ExternalPurchaseToken>,
}

/// What a notification is about; the members of `data`, `summary` and `appData`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(
    missing_docs,
    reason = "Apple's documentation says what each member is; what is not obvious is said here"
)]
pub struct Data {
    /// Missing in the sandbox.
    pub app_apple_id: Option<u64>,
    pub bundle_id: Option<String>,
    pub environment: Option<String>,
    /// A JWS of a [`Transaction`].
    pub signed_transaction_info: Option<String>,
    /// A JWS of a [`Renewal`].
    pub signed_renewal_info: Option<String>,
    /// A JWS of an [`AppTransaction`].
    pub signed_app_transaction_info: Option<String>,
    /// Why the customer wants money back, with `CONSUMPTION_REQUEST`.
    pub consumption_request_reason: Option<String>,
}

/// A purchase outside the App Store, which we don't offer.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(
    missing_docs,
    reason = "Apple's documentation says what each member is; what is not obvious is said here"
)]
pub struct ExternalPurchaseToken {
    /// Begins with `SANDBOX` in the sandbox; there is no member for the environment.
    pub external_purchase_id: Option<String>,
    pub app_apple_id: Option<u64>,
    pub bundle_id: Option<String>,
}

/// The purchase of the app itself.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(
    missing_docs,
    reason = "Apple's documentation says what each member is; what is not obvious is said here"
)]
pub struct AppTransaction {
    /// Missing in the sandbox.
    pub app_apple_id: Option<u64>,
    pub bundle_id: Option<String>,
    /// The environment.
    pub receipt_type: Option<String>,
}

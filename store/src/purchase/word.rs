//! What a provider vouches for, in words that are the same for all of them.

use sea_orm::Iterable as _;
use sea_orm::entity::prelude::*;
use serde_json::Value;
use uuid::Uuid;

use crate::money::Money;
use crate::outbox::Job;

/// Who vouches for a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(16))")]
pub enum Provider {
    /// Nothing is paid: the order vouches for itself.
    #[sea_orm(string_value = "free")]
    Free,
    /// Test money.
    #[sea_orm(string_value = "sandbox")]
    Sandbox,
    /// A promotion: the operator gives a number of packs away.
    #[sea_orm(string_value = "promotion")]
    Promotion,
    /// An operator gave the pack by hand.
    #[sea_orm(string_value = "manual")]
    Manual,
    /// Apple's App Store.
    #[sea_orm(string_value = "apple")]
    Apple,
    /// Google Play.
    #[sea_orm(string_value = "google")]
    Google,
}

impl Provider {
    /// The name in answers and rows.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Sandbox => "sandbox",
            Self::Promotion => "promotion",
            Self::Manual => "manual",
            Self::Apple => "apple",
            Self::Google => "google",
        }
    }
    /// Reads the name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::iter().find(|provider| provider.name() == name)
    }

    /// Whether somebody else vouches, who may take it back and think better of that. For the others our own order is all there is.
    pub const fn is_app_store(self) -> bool {
        matches!(self, Self::Apple | Self::Google)
    }
}

/// Which of a provider's worlds a payment is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(16))")]
pub enum World {
    /// Real money.
    #[sea_orm(string_value = "production")]
    Production,
    /// The provider's play money.
    #[sea_orm(string_value = "sandbox")]
    Sandbox,
}

impl World {
    /// The name in answers and rows.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Sandbox => "sandbox",
        }
    }
}

/// How a payment stands, in the order of its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(16))")]
pub enum Standing {
    /// Promised, and not paid.
    #[sea_orm(string_value = "pending")]
    Pending,
    /// Paid, and not taken back.
    #[sea_orm(string_value = "paid")]
    Paid,
    /// Refunded, revoked or cancelled.
    #[sea_orm(string_value = "revoked")]
    Revoked,
}

impl Standing {
    /// The name in answers and rows.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Paid => "paid",
            Self::Revoked => "revoked",
        }
    }
}

/// What a provider says about one payment: the whole of it as of some moment, never a change. Verified before it is made.
#[derive(Clone, Debug)]
pub struct Word {
    /// Who says it.
    pub provider: Provider,
    /// Of which world the payment is.
    pub world: World,
    /// The provider's name for the payment: 1 to 200 visible ASCII characters, unique for ever in its world.
    pub transaction: String,
    /// The order that the payment is for, as the provider vouches; `None` where the buyer's app said nothing that is an order's id.
    pub order: Option<Uuid>,
    /// What an app store calls what was bought; `None` where no app store sold it.
    pub product: Option<String>,
    /// How many of it.
    pub quantity: i64,
    /// What was paid, where the provider says so.
    pub paid: Option<Money>,
    /// How the payment stands.
    pub standing: Standing,
    /// Of two words about a payment the one with the higher number is newer, by the provider's count and not by our clock.
    pub version: i64,
    /// What is kept of it: claims, without what names a person.
    pub snapshot: Value,
    /// What the provider has to hear once the order is settled.
    pub then: Option<Job>,
}

/// How a word came to us: the same event is heard once.
#[derive(Clone, Debug)]
pub struct Event {
    /// Who brought it, such as `apple` (a notification) or `app` (a buyer's app).
    pub source: &'static str,
    /// The source's name for it: 1 to 200 visible ASCII characters, unique for ever.
    pub id: String,
    /// Its kind, such as `REFUND`.
    pub kind: String,
}

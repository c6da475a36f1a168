//! How far orders and gifts have come.

use sea_orm::entity::prelude::*;

/// How far an order has come: `created -> pending -> paid -> granted -> acknowledged`; any of them becomes `revoked`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(16))")]
pub enum State {
    /// Made, and not paid.
    #[sea_orm(string_value = "created")]
    Created,
    /// The provider waits for money.
    #[sea_orm(string_value = "pending")]
    Pending,
    /// Paid, and not granted: a gift that waits for its recipient, or a right that somebody has already.
    #[sea_orm(string_value = "paid")]
    Paid,
    /// The pack is the recipient's.
    #[sea_orm(string_value = "granted")]
    Granted,
    /// Granted, and the provider knows.
    #[sea_orm(string_value = "acknowledged")]
    Acknowledged,
    /// Refunded, or taken back.
    #[sea_orm(string_value = "revoked")]
    Revoked,
}

impl State {
    /// The name in answers and rows.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Pending => "pending",
            Self::Paid => "paid",
            Self::Granted => "granted",
            Self::Acknowledged => "acknowledged",
            Self::Revoked => "revoked",
        }
    }
}

/// How a gift finds its recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(16))")]
pub enum GiftKind {
    /// The recipient is the partner whom the messenger named at launch.
    #[sea_orm(string_value = "partner")]
    Partner,
    /// The recipient is whoever has the code.
    #[sea_orm(string_value = "code")]
    Code,
}

impl GiftKind {
    /// The name in answers and rows.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Partner => "partner",
            Self::Code => "code",
        }
    }
}

/// How far a gift with a code has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(16))")]
pub enum GiftState {
    /// Whoever has the code may take it until it expires.
    #[sea_orm(string_value = "waiting")]
    Waiting,
    /// Somebody took it.
    #[sea_orm(string_value = "redeemed")]
    Redeemed,
    /// The giver took it back, or it was refunded.
    #[sea_orm(string_value = "returned")]
    Returned,
}

impl GiftState {
    /// The name in answers and rows.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Redeemed => "redeemed",
            Self::Returned => "returned",
        }
    }
}

/// Why a paid order needs somebody's eyes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(32))")]
pub enum Problem {
    /// It was paid for, and the recipient owns the pack by another order.
    #[sea_orm(string_value = "already_owned")]
    AlreadyOwned,
    /// More than one payment came for it.
    #[sea_orm(string_value = "paid_twice")]
    PaidTwice,
}

impl Problem {
    /// The name in answers and rows.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AlreadyOwned => "already_owned",
            Self::PaidTwice => "paid_twice",
        }
    }
}

//! Rows of purchases.

pub mod gift;
pub mod inbox;
pub mod order;
pub mod promotion;
pub mod promotion_code;
pub mod promotion_use;
pub mod purchased;
pub mod snapshot;

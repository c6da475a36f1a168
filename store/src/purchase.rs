//! Orders and payments: the wish to buy, what a provider vouches for, and the grant that follows exactly once.

pub mod apple;
pub mod code;
mod effect;
pub mod entity;
pub mod gift;
pub mod google;
pub mod manual;
pub mod order;
pub mod page;
pub mod promotion;
pub mod rate;
pub mod redeem;
pub mod refund;
pub mod settle;
pub mod state;
pub mod support;
pub mod till;
pub mod web;
pub mod word;

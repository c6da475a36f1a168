//! Orders and payments: the wish to buy, what a provider vouches for, and the grant that follows exactly once.

pub mod entity;
pub mod order;
pub mod page;
pub mod refund;
pub mod settle;
pub mod web;

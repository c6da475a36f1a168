//! Who calls: launch codes, sessions and API clients.

pub mod page;

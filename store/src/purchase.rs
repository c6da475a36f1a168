//! Orders, purchases and how they settle.

pub mod page;

//! What users own: grants.

pub mod page;

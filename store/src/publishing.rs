//! Releases on their way into the catalogue: the manifest, its files, a strict check, then all at once. And what becomes of the files
//! afterwards: [what no release names goes](gc), [what one names is looked at](verify).
//!
//! Uploads go into the incoming area of where objects are, straight to S3 where that is. The check reads them in a process of its own
//! with bounds ([`inspect`]), and only when nothing is wrong with the whole release puts the bytes that it has read under the names of
//! their content. Then one transaction shows the release.

mod bounded;
mod check;
mod entity;
pub mod gc;
mod hold;
pub mod inspect;
mod missing;
mod named;
mod state;
pub mod verify;
pub mod web;

pub(crate) use bounded::Turns;

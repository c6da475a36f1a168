//! The sticker store: pages, API, delivery. The folder is the domain, the file is the layer.

pub mod account;
pub mod app;
pub mod audit;
pub mod catalogue;
pub mod clock;
pub mod config;
pub mod db;
pub mod delivery;
pub mod edge;
mod health;
pub mod i18n;
pub mod library;
pub mod migration;
pub mod money;
pub mod objects;
pub mod outbox;
pub mod publishing;
pub mod purchase;
pub mod random;
pub mod serve;
pub mod sidecar;
pub mod signing;
pub mod telemetry;
pub mod token;
pub mod variants;
pub mod web;
pub mod worker;

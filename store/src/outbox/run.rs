//! Who does which job.

use async_trait::async_trait;
use serde_json::Value;

use super::{Failure, Kind};
use crate::app::App;
use crate::purchase::apple::consumption;
use crate::purchase::google::finish;

/// What does jobs; tests have their own.
#[async_trait]
pub trait Handlers: Send + Sync {
    /// Does a job, which it may have done before. Outside any transaction, and given up after [`TIME_LIMIT`](super::TIME_LIMIT).
    ///
    /// # Errors
    /// [`Failure`].
    async fn handle(&self, app: &App, kind: Kind, payload: &Value) -> Result<(), Failure>;
}

/// The app stores.
#[derive(Clone, Copy, Debug)]
pub struct Providers;

#[async_trait]
impl Handlers for Providers {
    async fn handle(&self, app: &App, kind: Kind, payload: &Value) -> Result<(), Failure> {
        match kind {
            Kind::GoogleAcknowledge | Kind::GoogleConsume if app.google.is_none() => Err(not_configured()),
            Kind::GoogleAcknowledge | Kind::GoogleConsume => Ok(finish::acknowledge(app, payload).await?),
            Kind::AppleConsumption if app.apple.is_none() => Err(not_configured()),
            Kind::AppleConsumption => Ok(consumption::answer(app, payload).await?),
        }
    }
}

/// A store that takes no payments of a provider cannot tell it anything. Another of its workers may be able to: while a provider is being
/// switched on, some run with the configuration before.
fn not_configured() -> Failure {
    Failure::later("provider is not configured")
}

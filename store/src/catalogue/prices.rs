//! Prices come from the configuration; the trace says since when they are what they are.

use serde_json::{Value, json};

use crate::app::App;
use crate::audit::{self, list};
use crate::db;
use crate::web::error::Error;

/// Notes the prices of this configuration, unless the last row about them in the trace says the same.
///
/// # Errors
/// As the database says.
pub async fn note(app: &App) -> Result<(), Error> {
    let prices = json!({ "currency": app.config.purchase.currency, "tiers": app.config.tiers });
    let latest = list::Wanted { action: Some(PRICES.to_owned()), limit: 1, ..list::Wanted::default() };
    let latest = list::list(&app.db, &latest).await?;
    let before = latest.first().and_then(|row| serde_json::from_str::<Value>(&row.detail).ok());
    if before.as_ref() == Some(&prices) {
        return Ok(());
    }
    let transaction = db::begin(&app.db).await?;
    audit::note(app, &transaction, "configuration", PRICES, "tiers", &prices).await?;
    transaction.commit().await?;
    Ok(())
}

const PRICES: &str = "prices";

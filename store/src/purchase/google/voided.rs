//! The list of voided purchases, read in windows that overlap: what a push did not tell, or told while nobody listened, is found here.

use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};

use super::Play;
use super::api::{PurchaseToken, Voided, VoidedPage, Window};
use super::lookup;
use super::sweep::Failures;
use super::word::{self, Listed};
use crate::app::App;
use crate::db;
use crate::purchase::entity::inbox;
use crate::purchase::word::Event;
use crate::web::error::Error;

/// Reads what was voided since the last time and hears each purchase that was not heard before; says how many those were. How far it
/// came is noted once all of it is heard: whatever goes wrong, the next time begins where this one did. What goes wrong with one purchase
/// keeps none behind it from being heard.
///
/// # Errors
/// [`Error`]; of several purchases that could not be heard that of the first.
pub async fn sweep(app: &App, play: &Play) -> Result<usize, Error> {
    let now = app.clock.now_ms();
    let mark = db::mark(&app.db, MARK).await?;
    let window = window(mark, now);
    if mark > 0 && mark < window.from_ms {
        tracing::error!(
            google.gap_ms = window.from_ms - mark,
            "Google's voided purchases were not read for longer than Google remembers: compare the refunds of that time by hand"
        );
    }
    if window.until_ms <= window.from_ms {
        // The clock has stepped back: there is nothing to ask until it has caught up.
        return Ok(0);
    }
    let (mut heard, mut failures) = (0, Failures::default());
    let (mut next, mut pages) = (None, 0);
    loop {
        let page = next.as_deref();
        let VoidedPage { voided, next: following } = play.api.voided(window, page).await?;
        for voided in voided {
            let done = hear(app, play, voided).await;
            heard += usize::from(failures.but("a voided purchase could not be heard", done) == Some(true));
            if failures.are_everywhere() {
                return failures.first().map(|()| heard);
            }
        }
        pages += 1;
        if following.is_none() {
            break;
        }
        if following == next || pages >= MOST_PAGES {
            return Err(Error::internal(&std::io::Error::other(
                "Google's list of voided purchases has no end",
            )));
        }
        next = following;
    }
    failures.first()?;
    db::set_mark(&app.db, MARK, window.until_ms, app.clock.now_ms()).await?;
    Ok(heard)
}

fn window(mark: i64, now: i64) -> Window {
    Window { from_ms: (mark - OVERLAP_MS).max(now - REACH_MS), until_ms: now - SKEW_MS }
}

/// Hears one that is new to us.
async fn hear(app: &App, play: &Play, voided: Voided) -> Result<bool, Error> {
    let Some(token) = PurchaseToken::parse(&voided.purchase_token) else {
        tracing::error!("Google's list of voided purchases has a purchase without a token");
        return Ok(false);
    };
    let quantity = voided.voided_quantity.unwrap_or_default();
    let event = Event {
        source: SOURCE,
        id: format!("{}:{}:{quantity}", token.id(), voided.voided_time_millis),
        kind: "VOIDED_PURCHASE".to_owned(),
    };
    let before = inbox::Entity::find()
        .filter(inbox::Column::Source.eq(SOURCE))
        .filter(inbox::Column::EventId.eq(event.id.as_str()));
    if before.one(&app.db).await?.is_some() {
        return Ok(false);
    }
    let listed = Listed::Voided(voided.voided_quantity);
    let word = match lookup::ask(play, &token, listed).await {
        Ok((_, word)) => word,
        // That it is listed is proof enough of what is known here, whatever keeps Google from saying more.
        Err(error) => {
            match lookup::known(app, &token).await?.and_then(|row| word::remembered(&row, listed)) {
                Some(word) => word,
                None if error.code() == UNKNOWN => {
                    lookup::keep(app, &event, &token.id(), UNKNOWN).await?;
                    return Ok(true);
                }
                None => return Err(error),
            }
        }
    };
    let outcome = lookup::hear(app, &event, &token, word).await?;
    tracing::info!(google.transaction = token.id(), google.outcome = outcome, "a voided purchase was heard");
    Ok(true)
}

const MARK: &str = "google_voided";
/// What the inbox knows them by.
const SOURCE: &str = "google_voided";
const UNKNOWN: &str = "invalid_receipt";
/// Google lists what it saw as voided within the window, and may see it late.
const OVERLAP_MS: i64 = 86_400_000;
/// Google goes back 30 days; its clock and ours differ.
const REACH_MS: i64 = 30 * 86_400_000 - 600_000;
/// Google refuses a window that ends in its future.
const SKEW_MS: i64 = 30_000;
/// With a thousand on each page more than can be refunded in 30 days.
const MOST_PAGES: u32 = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_overlap_by_a_day_and_go_back_no_further_than_google_does() {
        let (day, now) = (86_400_000, 1_800_000_000_000);
        assert_eq!(window(now - 600_000, now).from_ms, now - 600_000 - day);
        assert_eq!(window(0, now).from_ms, now - 30 * day + 600_000);
        assert_eq!(window(now - 40 * day, now).from_ms, now - 30 * day + 600_000);
        assert!(window(now, now).until_ms < now);
        // An hour back on the clock asks the same again; two days back ask nothing.
        assert!(window(now, now - 3_600_000).until_ms > window(now, now - 3_600_000).from_ms);
        assert!(window(now, now - 2 * day).until_ms < window(now, now - 2 * day).from_ms);
    }
}

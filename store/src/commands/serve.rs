//! `sticker-store serve`

use sticker_store::app::{Parts, Role};
use sticker_store::catalogue::prices;
use sticker_store::clock::Clock;
use sticker_store::config::Config;
use sticker_store::random::Random;
use sticker_store::serve::{listen, serve_only, stop_signal};

use super::{Status, failed, not_started, told};

/// Serves these roles; every one where none is named.
pub(super) async fn run(config: Config, only: &[Role]) -> Status {
    let roles = if only.is_empty() { &Role::ALL } else { only };
    let is_store = roles.contains(&Role::Store);
    let address = config.server.listen;
    let stop = match stop_signal() {
        Ok(stop) => stop,
        Err(error) => return failed("system", &error, "check the limits of this system"),
    };
    let (clock, random) = (Clock::System, Random::system());
    let opened = if is_store {
        Parts::open(config, clock, random).await
    } else {
        Parts::open_for_delivery(config, clock, random).await
    };
    let app = match opened {
        Ok(app) => app,
        Err(error) => return not_started("start", &error),
    };
    if is_store && let Err(error) = prices::note(&app).await {
        return told(&error);
    }
    let listener = match listen(address).await {
        Ok(listener) => listener,
        Err(error) => {
            return failed("listen", &error, "is another program on this port? set server.listen to another");
        }
    };
    tracing::info!(server.listen = %address, server.public_url = app.config.public_url(), "serving");
    match serve_only(app, roles, listener, stop).await {
        Ok(()) => Status::Done,
        Err(error) => failed("serve", &error, "check the log above"),
    }
}

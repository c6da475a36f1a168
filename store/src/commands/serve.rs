//! `sticker-store serve`

use sticker_store::app::Parts;
use sticker_store::clock::Clock;
use sticker_store::config::Config;
use sticker_store::random::Random;
use sticker_store::serve::{listen, serve, stop_signal};

use super::{Status, failed, not_started};

pub(super) async fn run(config: Config) -> Status {
    let address = config.server.listen;
    let stop = match stop_signal() {
        Ok(stop) => stop,
        Err(error) => return failed("system", &error, "check the limits of this system"),
    };
    let app = match Parts::open(config, Clock::System, Random::system()).await {
        Ok(app) => app,
        Err(error) => return not_started("start", &error),
    };
    let listener = match listen(address).await {
        Ok(listener) => listener,
        Err(error) => {
            return failed("listen", &error, "is another program on this port? set server.listen to another");
        }
    };
    tracing::info!(server.listen = %address, server.public_url = app.config.public_url(), "serving");
    match serve(app, listener, stop).await {
        Ok(()) => Status::Done,
        Err(error) => failed("serve", &error, "check the log above"),
    }
}

//! `sticker-store worker`

use sticker_store::app::{App, Parts};
use sticker_store::clock::Clock;
use sticker_store::config::Config;
use sticker_store::random::Random;
use sticker_store::serve::stop_signal;
use sticker_store::worker;

use super::{Status, failed, not_started};

/// It signs and checks nothing, so that a damaged token key does not keep it from telling the app stores.
pub(super) async fn run(config: Config) -> Status {
    let stop = match stop_signal() {
        Ok(stop) => stop,
        Err(error) => return failed("system", &error, "check the limits of this system"),
    };
    let app = match Parts::open_without_ring(config, Clock::System, Random::system()).await {
        Ok(app) => app,
        Err(error) => return not_started("start", &error),
    };
    tracing::info!(worker.concurrency = app.config.worker.concurrency, "working");
    let stopping = App::clone(&app);
    tokio::spawn(async move {
        stop.await;
        tracing::info!("stopping: finishing the jobs that are under way");
        stopping.stopping.send_replace(true);
    });
    worker::work(app).await;
    Status::Done
}

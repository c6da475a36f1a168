//! Listening, and stopping without dropping a request.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::app::{self, App};
use crate::token::live;

/// Takes the address.
///
/// # Errors
/// As the system says, such as that the port is taken.
pub async fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address).await
}

/// Serves a store until `stop` is done, then finishes the requests that are under way, for at most 20 s.
///
/// # Errors
/// As the system says.
pub async fn serve(
    app: App,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let waiting = App::clone(&app);
    let stop = async move {
        stop.await;
        waiting.stopping.send_replace(true);
    };
    let fresh = tokio::spawn(live::keep_fresh(App::clone(&app)));
    let served = until_stopped(listener, app::router(app), stop).await;
    fresh.abort();
    served
}

/// Serves until `stop` is done, then finishes the requests that are under way, for at most 20 s: one that never comes whole would
/// otherwise keep the process for ever.
pub(crate) async fn until_stopped(
    listener: TcpListener,
    router: Router,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let (stopping, stopped) = tokio::sync::oneshot::channel();
    let stop = async move {
        stop.await;
        tracing::info!("stopping: finishing the requests that are under way");
        // The other side is gone only when serving has ended anyway.
        let _ = stopping.send(());
    };
    let serving = axum::serve(listener, router).with_graceful_shutdown(stop).into_future();
    let too_long = async {
        if stopped.await.is_ok() {
            tokio::time::sleep(DRAIN).await;
        } else {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        done = serving => done,
        () = too_long => Ok(()),
    }
}

const DRAIN: Duration = Duration::from_secs(20);

/// Ctrl-C, or what a deployment sends.
///
/// # Errors
/// As the system says.
pub fn stop_signal() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

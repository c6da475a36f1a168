//! Listening, and stopping without dropping a request.

mod connection;
mod patient;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::response::Response;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Semaphore, watch};

use crate::app::{self, App, Role};
use crate::config;
use crate::token::live;
use crate::{delivery, worker};
use connection::Front;

/// Takes the address, and as many open files as the system allows this process: each connection is one.
///
/// # Errors
/// As the system says, such as that the port is taken.
pub async fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    if let Err(error) = raise_open_files() {
        tracing::warn!(error.source = %error, "the limit of open files stays as it is");
    }
    TcpListener::bind(address).await
}

fn raise_open_files() -> nix::Result<()> {
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, most, most)
}

/// Serves a whole store until `stop` is done; see [`serve_only`].
///
/// # Errors
/// As the system says.
pub async fn serve(
    app: App,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    serve_only(app, &Role::ALL, listener, stop).await
}

/// Serves these roles of a store until `stop` is done, then finishes the requests and, where `worker.in_serve` says so, the jobs that are
/// under way, for at most 20 s.
///
/// # Errors
/// As the system says.
pub async fn serve_only(
    app: App,
    roles: &[Role],
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let waiting = App::clone(&app);
    let stop = async move {
        stop.await;
        waiting.stopping.send_replace(true);
    };
    let mut beside = Vec::new();
    let mut working = None;
    if roles.contains(&Role::Store) {
        beside.push(tokio::spawn(live::keep_fresh(App::clone(&app))));
        beside.push(tokio::spawn(worker::keep_measuring(App::clone(&app))));
        working = app.config.worker.in_serve.then(|| tokio::spawn(worker::work(App::clone(&app))));
    } else {
        beside.push(tokio::spawn(delivery::index::keep(App::clone(&app))));
    }
    let mut house = House::new(app::router_of(App::clone(&app), roles), Limits::of(&app.config.server));
    if roles.contains(&Role::Delivery) {
        let app = App::clone(&app);
        house.at_once = Some(Arc::new(move |peer, request| {
            delivery::web::at_once(&app, peer, request.method(), request.uri(), request.headers())
        }));
    }
    let served = until_stopped(listener, house, stop).await;
    // Serving may have ended by itself.
    app.stopping.send_replace(true);
    if let Some(working) = working {
        // A fault in there was logged, and is not the requests'.
        let _ = working.await;
    }
    for beside in beside {
        beside.abort();
    }
    served
}

/// What a server allows its clients.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Connections at the same time; others wait to be accepted.
    pub(crate) connections: u32,
    /// A connection on which nothing moves is ended after this, or up to half as long again.
    pub(crate) patience: Duration,
}

impl Limits {
    fn of(settings: &config::Server) -> Self {
        let patience = Duration::from_secs(settings.patience_seconds.into());
        Self { connections: settings.max_connections, patience }
    }
}

/// What answers requests.
pub(crate) struct House {
    router: Router,
    limits: Limits,
    /// Asked before the router, for what can be answered at once.
    at_once: Option<Arc<AtOnce>>,
}

type AtOnce = dyn Fn(IpAddr, &Request<hyper::body::Incoming>) -> Option<Response<Body>> + Send + Sync;

impl House {
    /// Answers with a router alone.
    pub(crate) fn new(router: Router, limits: Limits) -> Self {
        Self { router, limits, at_once: None }
    }
}

/// Serves until `stop` is done, then finishes the requests that are under way, for at most 20 s: one that never comes whole would
/// otherwise keep the process for ever.
pub(crate) async fn until_stopped(
    listener: TcpListener,
    house: House,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let (most, patience) = (house.limits.connections, house.limits.patience);
    let places =
        Arc::new(Semaphore::new(usize::try_from(most).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS)));
    let (stopping, stopped) = watch::channel(false);
    let house = Arc::new(house);
    let accepting = async {
        loop {
            // Never closed.
            let place = Arc::clone(&places).acquire_owned().await;
            let (stream, peer) = accepted(&listener).await;
            let front = Front::new(Arc::clone(&house), peer.ip().to_canonical());
            let (connection, stopped) = (connection::serve(stream, front, patience), stopped.clone());
            tokio::spawn(async move {
                connection::finish_when(connection, stopped).await;
                drop(place);
            });
        }
    };
    tokio::select! {
        () = accepting => {}
        () = stop => {}
    }
    drop(listener);
    tracing::info!("stopping: finishing the requests that are under way");
    stopping.send_replace(true);
    // Where all places are free again, nobody is left.
    let _ = tokio::time::timeout(DRAIN, places.acquire_many(most)).await;
    Ok(())
}

/// The next connection. What a client did wrong is its own business; where the system has no more, somebody has to leave first.
async fn accepted(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::ConnectionRefused
                        | io::ErrorKind::ConnectionAborted
                        | io::ErrorKind::ConnectionReset
                ) => {}
            Err(error) => {
                tracing::error!(error.source = %error, "no connection can be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

const ACCEPT_PAUSE: Duration = Duration::from_millis(200);
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

//! One connection: HTTP/1.1, with requests one after the other.

use std::convert::Infallible;
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use axum::response::Response;
use axum::routing::future::RouteFuture;
use hyper::body::Incoming;
use hyper::server::conn::http1::{Builder, Connection};
use hyper::service::Service;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tower::Service as _;

use super::House;
use super::patient::{Patient, Pulse, UnderWay};
use crate::web::peer::Peer;
use crate::web::sendfile::{Line, Outlet, Sender};

/// Answers the requests of one connection.
pub(super) struct Front {
    house: Arc<House>,
    peer: IpAddr,
    pulse: Pulse,
    line: Line,
}

impl Front {
    pub(super) fn new(house: Arc<House>, peer: IpAddr) -> Self {
        Self { house, peer, pulse: Pulse::default(), line: Line::default() }
    }
}

impl Service<Request<Incoming>> for Front {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answering;

    fn call(&self, mut request: Request<Incoming>) -> Answering {
        if let Some(at_once) = &self.house.at_once
            && let Some(answer) = at_once(self.peer, &request)
        {
            self.pulse.beat();
            return Answering::AtOnce(Some(on(&self.line, answer)));
        }
        request.extensions_mut().insert(Peer(self.peer));
        let routed = self.house.router.clone().call(request);
        let line = self.line.clone();
        Answering::Routed { answer: Box::pin(routed), line, _under_way: self.pulse.under_way() }
    }
}

/// The answer, which learns that it goes out here.
fn on(line: &Line, answer: Response<Body>) -> Response<Body> {
    if let Some(outlet) = answer.extensions().get::<Outlet>() {
        outlet.leads_to(line);
    }
    answer
}

/// An answer that comes.
pub(super) enum Answering {
    AtOnce(Option<Response<Body>>),
    /// Dropped together.
    Routed {
        answer: Pin<Box<RouteFuture<Infallible>>>,
        line: Line,
        _under_way: UnderWay,
    },
}

impl Future for Answering {
    type Output = Result<Response<Body>, Infallible>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.get_mut() {
            Self::AtOnce(answer) => answer.take().map_or(Poll::Pending, |answer| Poll::Ready(Ok(answer))),
            Self::Routed { answer, line, .. } => {
                answer.as_mut().poll(context).map_ok(|answer| on(line, answer))
            }
        }
    }
}

/// Serves a connection. What is read ahead, and what waits to be written, is bounded; bodies are written from where they are.
pub(super) fn serve(
    stream: TcpStream,
    front: Front,
    patience: Duration,
) -> Connection<TokioIo<Patient<Sender>>, Front> {
    // Answers are written in one piece, so nothing is gained by waiting for more.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(error.source = %error, "a connection ended at once");
    }
    let stream = Patient::new(Sender::new(stream, front.line.clone()), front.pulse.clone(), patience);
    let mut http = Builder::new();
    http.header_read_timeout(None).max_header_size(HEAD).max_buf_size(BUFFER);
    http.serve_connection(TokioIo::new(stream), front)
}

/// Runs a connection to its end; once `stopped` says so, to the end of the request that is under way.
pub(super) async fn finish_when(
    connection: Connection<TokioIo<Patient<Sender>>, Front>,
    mut stopped: watch::Receiver<bool>,
) {
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        biased;
        ended = connection.as_mut() => Some(ended),
        _ = stopped.wait_for(|&stopped| stopped) => None,
    };
    let ended = if let Some(ended) = ended {
        ended
    } else {
        connection.as_mut().graceful_shutdown();
        connection.await
    };
    if let Err(error) = ended {
        tracing::debug!(error.source = %error, "a connection broke off");
    }
}

/// Bytes of a request's line and headers; hyper itself takes at most 100 headers. Beyond either it answers 431.
const HEAD: usize = 16 << 10;
/// Bytes that are read ahead of a body.
const BUFFER: usize = 64 << 10;

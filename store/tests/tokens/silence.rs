//! A connection to the database on which no answer comes any more, as behind a firewall that forgot it.

use std::net::SocketAddr;

use sticker_store::token::live;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::town::{HALT, in_town, keeps_fresh, user};

/// Passes bytes on to a server. Once told to, it answers one more request on each connection that is open by then, the look whether it
/// lives, and nothing more; who connects anew is served.
struct Wire {
    address: SocketAddr,
    failing: watch::Sender<bool>,
    silent: watch::Receiver<bool>,
}

impl Wire {
    async fn to(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (failing, silent) = (watch::Sender::new(false), watch::Sender::new(false));
        let wire = Self { address, failing: failing.clone(), silent: silent.subscribe() };
        tokio::spawn(async move {
            loop {
                let (near, _) = listener.accept().await.unwrap();
                let far = TcpStream::connect(&server).await.unwrap();
                tokio::spawn(passes_on(near, far, failing.subscribe(), silent.clone()));
            }
        });
        wire
    }
}

async fn passes_on(
    near: TcpStream,
    far: TcpStream,
    failing: watch::Receiver<bool>,
    silent: watch::Sender<bool>,
) {
    let ((mut from_near, mut to_near), (mut from_far, mut to_far)) = (near.into_split(), far.into_split());
    let opened_since = *failing.borrow();
    let requests = async {
        let (mut bytes, mut last_ones) = ([0; 4_096], 0);
        loop {
            let read = from_near.read(&mut bytes).await.unwrap_or(0);
            if *failing.borrow() && !opened_since {
                last_ones += 1;
            }
            if last_ones > 1 {
                silent.send_replace(true);
                std::future::pending::<()>().await;
            }
            if read == 0 || to_far.write_all(&bytes[..read]).await.is_err() {
                break;
            }
        }
    };
    let answers = async { copy(&mut from_far, &mut to_near).await };
    tokio::select! {
        () = requests => {}
        _ = answers => {}
    }
}

#[test]
fn a_store_whose_connection_says_nothing_any_more_goes_on_with_another_and_hears_of_refunds() {
    in_town(async |town| {
        // SQLite is a file: there is nothing between.
        let Some(url) = town.database_url() else { return };
        let (before, rest) = url.split_once('@').unwrap();
        let (server, database) = rest.split_once('/').unwrap();
        let mut wire = Wire::to(server.to_owned()).await;
        let store = town.opens_at(&format!("{before}@{}/{database}", wire.address)).await;
        live::refresh(&store).await.unwrap();
        let fresh = keeps_fresh(&store);
        wire.failing.send_replace(true);
        tokio::time::timeout(HALT, wire.silent.wait_for(|&silent| silent)).await.unwrap().unwrap();

        let alice = user("alice");
        let order = town.buys(&town.one, &alice).await;
        let issued = town.tokens(&town.one, &alice).await.unwrap();
        town.refunds(&town.one, &order).await;
        let heard = async {
            while town.own_verdict(&store, &alice, &issued[0]).is_ok() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(HALT, heard).await.unwrap();
        fresh.abort();
    });
}

//! `sticker-store demo`: the whole way on one machine, with the sample packs of the repository.

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use sticker_packer::publish::{PublishTarget, publish};
use sticker_packer::{BuildOptions, build};
use sticker_protocol::StickerId;
use sticker_protocol::release::{MANIFEST_FILE, Manifest};
use sticker_protocol::token::{UserId, Version};
use sticker_store::account::client::{self, Scope};
use sticker_store::account::launch::{self, Guest};
use sticker_store::app::{App, Parts, StartError};
use sticker_store::clock::Clock;
use sticker_store::config::Config;
use sticker_store::purchase::order::{self, Wish};
use sticker_store::purchase::word::Provider;
use sticker_store::random::Random;
use sticker_store::serve::{listen, serve, stop_signal};
use sticker_store::token::issue::{Wanted, issue};

use super::{Status, failed, not_started, say, this_program};

pub(super) async fn run(data: &Path, address: SocketAddr) -> Status {
    // Taken first: nobody waits for a build to learn that the port is taken.
    let listener = match listen(address).await {
        Ok(listener) => listener,
        Err(error) => {
            return failed("listen", &error, "is another program on this port? try --listen 127.0.0.1:8081");
        }
    };
    match demo(data, address, listener).await {
        Ok(()) => Status::Done,
        Err(error) => match error.downcast_ref::<StartError>() {
            Some(error) => not_started("demo", error),
            None => failed("demo", error.as_ref(), "remove the demo's data folder to start afresh"),
        },
    }
}

async fn demo(data: &Path, address: SocketAddr, listener: tokio::net::TcpListener) -> anyhow::Result<()> {
    let stop = stop_signal()?;
    let settings = [
        ("DATA_DIR", data.display().to_string()),
        ("SERVER__LISTEN", address.to_string()),
        ("PURCHASE__SANDBOX", "true".to_owned()),
    ];
    let variables = settings.into_iter().map(|(name, value)| (format!("STICKER_STORE__{name}"), value));
    let mut config = Config::load(None, variables)?;
    config.publishing.program = this_program();
    let app = Parts::open(config, Clock::System, Random::system()).await?;
    let secrets = secrets(&app, &data.join("demo-clients.json")).await?;

    let (ended, end) = tokio::sync::oneshot::channel();
    let serving = tokio::spawn(serve(std::sync::Arc::clone(&app), listener, async move {
        tokio::select! { () = stop => {}, _ = end => {} }
    }));
    let shown = async {
        let releases = publish_samples(&app, data, &secrets.publish).await?;
        tell(&app, &secrets, &releases).await
    };
    if let Err(error) = shown.await {
        // Serving ends with us.
        let _ = ended.send(());
        serving.await??;
        return Err(error);
    }
    serving.await??;
    drop(ended);
    Ok(())
}

/// The secrets of the demo's two clients; kept so that a second start goes on with them.
#[derive(Serialize, Deserialize)]
struct Secrets {
    publish: String,
    chat: String,
}

async fn secrets(app: &App, path: &Path) -> anyhow::Result<Secrets> {
    if let Ok(known) = std::fs::read_to_string(path) {
        return Ok(serde_json::from_str(&known)?);
    }
    let secrets = Secrets {
        publish: client::add(app, "demo studio", &[Scope::Publish]).await?.secret,
        chat: client::add(app, "demo chat server", &[Scope::Launch, Scope::Verify]).await?.secret,
    };
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(&serde_json::to_vec(&secrets)?)?;
    file.sync_all()?;
    Ok(secrets)
}

/// Builds each sample once and publishes it over HTTP, as a designer does.
async fn publish_samples(app: &App, data: &Path, secret: &str) -> anyhow::Result<Vec<Manifest>> {
    let mut releases = Vec::new();
    for name in SAMPLES {
        let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("../packer/sample").join(name);
        let out: PathBuf = data.join("releases").join(name);
        let (target, random) =
            (PublishTarget::new(&app.config.public_url(), secret.to_owned()), app.random.clone());
        let work = move || -> anyhow::Result<Manifest> {
            if !out.join(MANIFEST_FILE).exists() {
                // A running program's progress; the result is for the standard output.
                let _ = writeln!(io::stderr(), "building the sample pack {name} ...");
                std::fs::create_dir_all(out.parent().unwrap_or(&out))?;
                build(&project, &out, &BuildOptions::new(random.secure()), &())?;
            }
            publish(&out, &target, &())?;
            Ok(Manifest::read(&std::fs::read(out.join(MANIFEST_FILE))?)?)
        };
        releases.push(tokio::task::spawn_blocking(work).await??);
    }
    Ok(releases)
}

/// The first is free, the second costs test money.
const SAMPLES: [&str; 2] = ["mochi", "bean"];

async fn tell(app: &App, secrets: &Secrets, releases: &[Manifest]) -> anyhow::Result<()> {
    let store = app.config.public_url();
    let alice = Guest { user: UserId::from_text("alice")?, locale: None, platform: None, partner: None };
    let code =
        launch::make_code(app, &alice, A_DAY).await.map_err(|error| anyhow::anyhow!("{error:?}"))?.code;
    say(format_args!("\nThe store is open. Ctrl-C closes it; a second start goes on with the same data.\n"));
    say(format_args!("  Open the store as alice (the link works once):\n    {store}/launch#{code}\n"));
    say(format_args!("  Or look around without a session:\n    {store}/\n"));

    let Some((release, sticker)) = releases.first().and_then(|it| Some((it, it.stickers.first()?.id))) else {
        return Ok(());
    };
    let token = token_for_bob(app, release, sticker).await?;
    say("  What a chat server asks when bob sends a sticker that he owns - accepted:");
    say(format_args!("    {}\n", check_line(&store, &secrets.chat, &token, sticker, "bob")));
    say("  And when mallory sends it with bob's token - refused:");
    say(format_args!("    {}\n", check_line(&store, &secrets.chat, &token, sticker, "mallory")));
    say("  What a phone downloads; it says only how dense its screen is:");
    say(format_args!("    curl -sS -o hello.sticker '{store}/dl/{sticker}.sticker?density=480'\n"));
    say(format_args!("  What a designer sets before `sticker-packer publish OUT --store {store}`:"));
    say(format_args!("    export STICKER_STORE_SECRET={}", secrets.publish));
    Ok(())
}

/// Bob gets the free pack and a token for one of its stickers.
async fn token_for_bob(app: &App, release: &Manifest, sticker: StickerId) -> anyhow::Result<String> {
    let bob = UserId::from_text("bob")?;
    let wish = Wish::new(release.pack, Provider::Free).once("demo");
    order::make(app, &bob, wish).await.map_err(|error| anyhow::anyhow!("{error:?}"))?;
    let issued = issue(app, &bob, &Wanted::Stickers(vec![sticker]), Version::V1).await;
    let issued = issued.map_err(|error| anyhow::anyhow!("{error:?}"))?;
    issued.first().map(|issued| issued.token.to_string()).context("no token was issued")
}

fn check_line(store: &str, secret: &str, token: &str, sticker: StickerId, user: &str) -> String {
    let body = format!(r#"{{"checks":[{{"token":"{token}","sticker_id":{sticker},"user":"{user}"}}]}}"#);
    format!(
        "curl -sS {store}/v1/tokens/verify -H 'Authorization: Bearer {secret}' -H 'Content-Type: application/json' -d '{body}'"
    )
}

const A_DAY: u32 = 86_400;

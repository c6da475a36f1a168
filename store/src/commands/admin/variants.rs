//! `sticker-store admin migrate-variants`

use std::io::{self, Write as _};

use sticker_store::config::{Config, Variants};
use sticker_store::variants::{self, Report, Sum};
use sticker_store::web::error::Error;

use super::super::{Status, failed, say, told};
use super::open;

pub(super) async fn migrate(config: Config, to: Variants, json: bool) -> Status {
    let app = match open(config).await {
        Ok(app) => app,
        Err(status) => return status,
    };
    let progress = |done: u64, all: u64| {
        // Nobody may be listening any more.
        let _ = writeln!(io::stderr(), "{done} of {all} releases are {}", to.name());
    };
    let moved = async {
        variants::ask(&app, to).await?;
        let failed = variants::work(&app, &progress).await?;
        Ok::<_, Error>(Report { failed, ..variants::report(&app).await? })
    };
    let report = match moved.await {
        Ok(report) => report,
        Err(error) => return told(&error),
    };
    if json {
        match serde_json::to_string(&report) {
            Ok(document) => say(document),
            Err(error) => return failed("report", &error, "run it without --json"),
        }
    } else {
        shown(&report);
    }
    if app.config.delivery.variants != to {
        let _ = writeln!(
            io::stderr(),
            "what is published from now on is {}: set delivery.variants = \"{}\"",
            app.config.delivery.variants.name(),
            to.name()
        );
    }
    if report.failed > 0 { Status::Refused } else { Status::Done }
}

fn shown(report: &Report) {
    let Report { listed, stored, saved, not_reproducible, rendered, failed } = report;
    let line = |name: &str, sum: &Sum| {
        say(format_args!("{name:<18} {:>9} objects  {:>15} bytes", sum.objects, sum.bytes));
    };
    line("listed", listed);
    line("stored", stored);
    line("  of it rendered", rendered);
    line("  not reproducible", not_reproducible);
    line("saved", saved);
    #[expect(clippy::cast_precision_loss, reason = "a ratio for people")]
    let part = stored.bytes as f64 * 100.0 / (listed.bytes as f64).max(1.0);
    say(format_args!("{part:.1} % of the bytes are stored"));
    if *failed > 0 {
        say(format_args!("{failed} variants cannot be made by this version; the log names them"));
    }
}

//! `sticker-store admin promotions`

use clap::{Args, Subcommand};
use sticker_store::i18n::Day;

#[derive(Debug, Subcommand)]
pub(crate) enum PromotionsCommand {
    /// List the promotions.
    List,
    /// Give packs away. Without a code they are on the pack's page for everybody.
    Add(PromotionArguments),
    /// End a promotion before its time. Who took part keeps the pack.
    End {
        /// Promotion's name.
        name: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct PromotionArguments {
    /// Name for people, unlike every other promotion's.
    #[arg(long)]
    pub(crate) name: String,
    /// Pack's id or slug.
    #[arg(long, value_name = "PACK_ID|SLUG", allow_negative_numbers = true)]
    pub(crate) pack: String,
    /// How many are given away; with `--codes` as many as there are codes by default.
    #[arg(long, value_name = "N", required_unless_present = "codes", allow_negative_numbers = true)]
    pub(crate) at_most: Option<u32>,
    /// First moment: `2026-12-01`, `2026-12-01T09:00:00Z` (UTC) or Unix seconds; now by default.
    #[arg(long, value_name = "TIME", value_parser = moment, allow_negative_numbers = true)]
    pub(crate) from: Option<i64>,
    /// First moment after it.
    #[arg(long, value_name = "TIME", value_parser = moment, allow_negative_numbers = true)]
    pub(crate) until: i64,
    /// One word that everybody who knows it can use.
    #[arg(long, value_name = "WORD", conflicts_with = "codes")]
    pub(crate) code: Option<String>,
    /// So many codes, each for one user, printed this once.
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) codes: Option<u32>,
}

/// A moment in milliseconds since 1970.
fn moment(text: &str) -> Result<i64, &'static str> {
    const FORMS: &str = "a time is like 2026-12-01, 2026-12-01T09:00:00Z or Unix seconds";
    if let Ok(seconds) = text.parse::<i64>() {
        return seconds.checked_mul(1_000).filter(|&ms| ms >= 0).ok_or(FORMS);
    }
    let (day, time) = match text.strip_suffix('Z').and_then(|text| text.split_once('T')) {
        Some(parts) => parts,
        None => (text, "00:00:00"),
    };
    let day: Day = day.parse().ok().ok_or(FORMS)?;
    let parts: Vec<i64> = time.split(':').filter_map(|part| part.parse().ok()).collect();
    match parts[..] {
        [hour @ 0..24, minute @ 0..60, second @ 0..60] => {
            Ok(day.unix_ms() + ((hour * 60 + minute) * 60 + second) * 1_000)
        }
        _ => Err(FORMS),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_day_a_moment_or_unix_seconds() {
        for (text, ms) in [
            ("1970-01-01", 0),
            ("2026-12-01", 1_796_083_200_000),
            ("2026-12-01T09:30:05Z", 1_796_117_405_000),
            ("2028-02-29", 1_835_395_200_000),
            ("1796083200", 1_796_083_200_000),
        ] {
            assert_eq!(moment(text), Ok(ms), "{text}");
        }
        for wrong in [
            "",
            "soon",
            "2026-13-01",
            "2026-02-29",
            "2026-00-10",
            "2026-01-00",
            "2026-1",
            "1969-12-31",
            "-1",
            "2026-12-01T24:00:00Z",
            "2026-12-01T09:60:00Z",
            "2026-12-01T09:00:00",
            "2026-12-01T9Z",
            "2026-12-01-02",
        ] {
            assert!(moment(wrong).is_err(), "{wrong}");
        }
    }
}

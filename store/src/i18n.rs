//! The languages of the store: choosing one, and saying things in it.
//!
//! Texts are whole sentences in `templates/locales/{locale}/*.ftl` ([Fluent](https://projectfluent.org)), compiled
//! in. A message takes at most one argument, `$count`, `$name` or `$price`, so that a mistake in one is easy to find;
//! dates are the exception. What a designer wrote (titles, alternative texts) comes with the release; [`LocalText::pick`]
//! chooses among its languages.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};
use unic_langid::LanguageIdentifier;

use crate::money::{Currency, Money};

/// A language that the store speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Locale {
    /// English, also what everybody gets whose languages are missing.
    En,
    /// Korean.
    Ko,
    /// Japanese.
    Ja,
}

impl Locale {
    /// All languages, in the order in which a reader is offered them.
    pub const ALL: [Self; 3] = [Self::En, Self::Ko, Self::Ja];

    /// The language tag (BCP 47), as in `<html lang>` and the folder of the texts.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Ko => "ko",
            Self::Ja => "ja",
        }
    }

    /// The language's name for itself.
    pub const fn endonym(self) -> &'static str {
        match self {
            Self::En => "English",
            Self::Ko => "한국어",
            Self::Ja => "日本語",
        }
    }

    /// The nearest language to a tag: `ko-KR`, `ko_KR` and `KO` are Korean. `None` for languages that the store lacks.
    pub fn nearest(tag: &str) -> Option<Self> {
        let language = tag.split(['-', '_']).next().unwrap_or_default();
        Self::ALL.into_iter().find(|locale| locale.tag().eq_ignore_ascii_case(language))
    }
}

impl fmt::Display for Locale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.tag())
    }
}

/// A text that a designer wrote, with the language it is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalText {
    /// The text.
    pub text: String,
    /// The language tag of the text, which may not be the page's.
    pub lang: String,
}

impl LocalText {
    /// Chooses among a designer's languages: the reader's, then English, then the first by tag.
    /// `None` if there is no text at all.
    pub fn pick(texts: &BTreeMap<String, String>, locale: Locale) -> Option<Self> {
        let near = |wanted: Locale| texts.iter().find(|(tag, _)| Locale::nearest(tag) == Some(wanted));
        let exact = texts.get_key_value(locale.tag());
        let (lang, text) = exact
            .or_else(|| near(locale))
            .or_else(|| near(Locale::En))
            .or_else(|| texts.first_key_value())?;
        Some(Self { text: text.clone(), lang: lang.clone() })
    }
}

/// A calendar day in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day {
    /// The year of the Gregorian calendar.
    pub year: i64,
    /// The month, 1 to 12.
    pub month: u8,
    /// The day of the month, 1 to 31.
    pub day: u8,
}

impl Day {
    /// The day of a moment in milliseconds since 1970 (Howard Hinnant's `civil_from_days`).
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "months and days are below 32"
    )]
    pub const fn of_unix_ms(unix_ms: i64) -> Self {
        let days = unix_ms.div_euclid(86_400_000) + 719_468;
        let era = days.div_euclid(146_097);
        let of_era = days.rem_euclid(146_097);
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted = (5 * of_year + 2) / 153;
        let day = of_year - (153 * shifted + 2) / 5 + 1;
        let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
        let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
        Self { year, month: month as u8, day: day as u8 }
    }
}

impl Day {
    /// The first millisecond of the day since 1970, in UTC (Howard Hinnant's `days_from_civil`).
    pub fn unix_ms(self) -> i64 {
        let year = self.year - i64::from(self.month <= 2);
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let shifted = (i64::from(self.month) + 9) % 12;
        let of_year = (153 * shifted + 2) / 5 + i64::from(self.day) - 1;
        let of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year;
        (era * 146_097 + of_era - 719_468) * 86_400_000
    }
}

/// No day from 1970 to 9999 in the form of ISO 8601.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a day is like 2026-12-01")]
pub struct NoDay;

impl std::str::FromStr for Day {
    type Err = NoDay;

    fn from_str(text: &str) -> Result<Self, NoDay> {
        let mut parts = text.splitn(3, '-');
        let mut next = |digits| {
            let part = parts.next().filter(|part| part.len() == digits);
            part.and_then(|part| part.parse::<u16>().ok()).ok_or(NoDay)
        };
        let (year, month, day) = (next(4)?, next(2)?, next(2)?);
        let (month, day) = (u8::try_from(month).unwrap_or(0), u8::try_from(day).unwrap_or(0));
        let read = Self { year: i64::from(year), month, day };
        // What is no day of the calendar comes back as another.
        let there = year >= 1970 && Self::of_unix_ms(read.unix_ms()) == read;
        if there { Ok(read) } else { Err(NoDay) }
    }
}

/// The ISO 8601 form, for `<time datetime>`.
impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

/// The text of a key.
pub fn text(locale: Locale, key: &str) -> String {
    message(locale, key, None)
}

/// The text of a key about `$count` things.
pub fn count(locale: Locale, key: &str, count: usize) -> String {
    let mut args = FluentArgs::new();
    args.set("count", count);
    message(locale, key, Some(&args))
}

/// The text of a key about something called `$name`.
pub fn named(locale: Locale, key: &str, name: &str) -> String {
    let mut args = FluentArgs::new();
    args.set("name", name);
    message(locale, key, Some(&args))
}

/// The text of a key about something that costs `$price`.
pub fn priced(locale: Locale, key: &str, price: Money) -> String {
    let mut args = FluentArgs::new();
    args.set("price", money(locale, price));
    message(locale, key, Some(&args))
}

/// A day as readers of the language write it.
pub fn day(locale: Locale, day: Day) -> String {
    let mut args = FluentArgs::new();
    args.set("year", day.year);
    args.set("month", day.month);
    args.set("day", day.day);
    message(locale, "day", Some(&args))
}

/// An amount as readers of the language write it (symbols as in the Unicode CLDR): `₩1,100`, `$0.99`.
pub fn money(locale: Locale, money: Money) -> String {
    let Money { minor, currency } = money;
    let sign = if minor < 0 { "-" } else { "" };
    format!("{sign}{}{}", symbol(locale, currency), digits(minor.unsigned_abs(), currency.decimals()))
}

/// What stands in the page where a text is missing everywhere; tests look for it.
pub const MISSING: char = '⟦';

fn symbol(locale: Locale, currency: Currency) -> String {
    match (currency, locale) {
        (Currency::KRW, _) => "₩".to_owned(),
        (Currency::USD, Locale::Ko) => "US$".to_owned(),
        (Currency::USD, _) => "$".to_owned(),
        (Currency::JPY, Locale::Ko) => "JP¥".to_owned(),
        (Currency::JPY, _) => "¥".to_owned(),
        (Currency::EUR, _) => "€".to_owned(),
        (other, _) => format!("{other}\u{a0}"),
    }
}

fn digits(minor: u64, decimals: u32) -> String {
    let unit = 10_u64.pow(decimals);
    let whole = (minor / unit).to_string();
    let mut grouped = String::with_capacity(whole.len() + 8);
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    match decimals {
        0 => grouped,
        width => format!("{grouped}.{:0width$}", minor % unit, width = width as usize),
    }
}

fn message(locale: Locale, key: &str, args: Option<&FluentArgs<'_>>) -> String {
    format_in(locale, key, args)
        .or_else(|| format_in(Locale::En, key, args))
        .unwrap_or_else(|| format!("{MISSING}{key}⟧"))
}

fn format_in(locale: Locale, key: &str, args: Option<&FluentArgs<'_>>) -> Option<String> {
    let bundle = BUNDLES.get(&locale)?;
    let pattern = bundle.get_message(key)?.value()?;
    let mut problems = Vec::new();
    let text = bundle.format_pattern(pattern, args, &mut problems);
    problems.is_empty().then(|| text.into_owned())
}

static BUNDLES: LazyLock<BTreeMap<Locale, FluentBundle<FluentResource>>> =
    LazyLock::new(|| Locale::ALL.into_iter().map(|locale| (locale, bundle(locale))).collect());

/// A file with a mistake gives what could be read of it; a test wants every file to be without.
fn bundle(locale: Locale) -> FluentBundle<FluentResource> {
    let language: LanguageIdentifier = locale.tag().parse().unwrap_or_default();
    let mut bundle = FluentBundle::new_concurrent(vec![language]);
    bundle.set_use_isolating(false);
    for (_, source) in sources(locale) {
        let resource = FluentResource::try_new((*source).to_owned()).unwrap_or_else(|(partial, _)| partial);
        bundle.add_resource_overriding(resource);
    }
    bundle
}

macro_rules! source {
    ($tag:literal, $($name:literal),+) => {
        &[$(($name, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/templates/locales/", $tag, "/", $name)))),+]
    };
}
macro_rules! sources {
    ($tag:literal) => {
        source!(
            $tag,
            "account.ftl",
            "catalogue.ftl",
            "library.ftl",
            "problem.ftl",
            "purchase.ftl",
            "store.ftl"
        )
    };
}

/// The texts of a language as they are written: file name and content.
pub const fn sources(locale: Locale) -> &'static [(&'static str, &'static str)] {
    match locale {
        Locale::En => sources!("en"),
        Locale::Ko => sources!("ko"),
        Locale::Ja => sources!("ja"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(of: &[(&str, &str)]) -> BTreeMap<String, String> {
        of.iter().map(|(tag, text)| ((*tag).to_owned(), (*text).to_owned())).collect()
    }

    fn picked(of: &[(&str, &str)], locale: Locale) -> Option<String> {
        LocalText::pick(&texts(of), locale).map(|local| format!("{}:{}", local.lang, local.text))
    }

    #[test]
    fn a_designers_text_falls_back_to_a_region_then_english_then_the_first() {
        let all = [("de", "Hase"), ("en", "Rabbit"), ("ko-KR", "토끼")];
        assert_eq!(picked(&all, Locale::Ko).as_deref(), Some("ko-KR:토끼"));
        assert_eq!(picked(&all, Locale::Ja).as_deref(), Some("en:Rabbit"));
        assert_eq!(picked(&[("de", "Hase"), ("fr", "Lapin")], Locale::Ja).as_deref(), Some("de:Hase"));
        assert_eq!(picked(&[], Locale::En), None);
    }

    #[test]
    fn an_amount_has_the_decimals_of_its_currency() {
        let written = |minor, currency, locale| money(locale, Money { minor, currency });
        assert_eq!(written(1_100, Currency::KRW, Locale::Ko), "₩1,100");
        assert_eq!(written(1_234_567, Currency::KRW, Locale::En), "₩1,234,567");
        assert_eq!(written(160, Currency::JPY, Locale::Ja), "¥160");
        assert_eq!(written(160, Currency::JPY, Locale::Ko), "JP¥160");
        assert_eq!(written(99, Currency::USD, Locale::En), "$0.99");
        assert_eq!(written(123_456, Currency::USD, Locale::Ko), "US$1,234.56");
        assert_eq!(written(-5, Currency::EUR, Locale::En), "-€0.05");
        assert_eq!(written(1_500, "KWD".parse().unwrap(), Locale::En), "KWD\u{a0}1.500");
        assert_eq!(written(i64::MIN, Currency::KRW, Locale::En), "-₩9,223,372,036,854,775,808");
    }

    #[test]
    fn a_day_is_computed_across_leap_years() {
        let day = |ms| Day::of_unix_ms(ms).to_string();
        assert_eq!(day(0), "1970-01-01");
        assert_eq!(day(-1), "1969-12-31");
        assert_eq!(day(951_782_400_000), "2000-02-29");
        assert_eq!(day(1_795_219_200_000), "2026-11-21");
        assert_eq!(super::day(Locale::Ko, Day::of_unix_ms(1_795_219_200_000)), "2026년 11월 21일");
        assert_eq!(super::day(Locale::En, Day::of_unix_ms(1_795_219_200_000)), "21 Nov 2026");
    }

    #[test]
    fn a_missing_key_is_marked_and_never_empty() {
        assert_eq!(text(Locale::Ko, "no-such-key"), "⟦no-such-key⟧");
    }
}

//! What packs are called in an app store: patterns with `{tier}`, `{slug}` and `{pack}`.

use sticker_protocol::PackId;

/// The name by a pattern. App stores know no hyphens: those of the slug become underscores, which no slug has.
pub(super) fn named(pattern: &str, tier: &str, slug: &str, pack: PackId) -> String {
    pattern
        .replace("{tier}", tier)
        .replace("{slug}", &slug.replace('-', "_"))
        .replace("{pack}", &pack.to_string())
}

/// Whether a product stands for one pack, and not for all of a tier.
pub(super) fn is_of_one_pack(pattern: &str) -> bool {
    pattern.contains("{slug}") || pattern.contains("{pack}")
}

/// Whether a product may be one of a pattern's. Any text may be a tier, since one that is no longer configured was sold once.
pub(super) fn matches(pattern: &str, product: &str) -> bool {
    let product = product.as_bytes();
    // From where the rest of the pattern has to begin.
    let mut ends = vec![0];
    let mut rest = pattern;
    while !rest.is_empty() {
        let placeholder = PLACEHOLDERS.iter().find_map(|&(name, may)| Some((rest.strip_prefix(name)?, may)));
        ends = if let Some((after, may)) = placeholder {
            rest = after;
            // One letter or more from the first place on; from a later place there is nothing new where those reach it.
            let mut reached = Vec::new();
            for &end in &ends {
                if reached.last().is_some_and(|&last| last > end) {
                    continue;
                }
                let letters = product.get(end..).unwrap_or_default();
                let most = letters.iter().take_while(|&&letter| may(letter)).count();
                reached.extend(end + 1..=end + most);
            }
            reached
        } else {
            let literal = rest.as_bytes().first().copied();
            rest = rest.get(1..).unwrap_or_default();
            ends.into_iter().filter(|&end| product.get(end).copied() == literal).map(|end| end + 1).collect()
        };
    }
    ends.contains(&product.len())
}

/// A name in a pattern, and which letters may stand for it.
type Placeholder = (&'static str, fn(u8) -> bool);

const PLACEHOLDERS: [Placeholder; 3] = [
    ("{tier}", |_| true),
    ("{slug}", |letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == b'_'),
    ("{pack}", |letter| letter.is_ascii_digit()),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_pattern_names_matches_it() {
        for pattern in ["sticker_{tier}", "{slug}.{pack}", "a.{slug}{pack}", "{tier}{slug}{tier}", "{pack}"] {
            for (tier, slug, pack) in [("tier1", "blue-cat", 77), ("t", "a1", 9_007_199_254_740_991_i64)] {
                let product = named(pattern, tier, slug, PackId::try_from(pack).unwrap());
                assert!(matches(pattern, &product), "{pattern} {product}");
            }
        }
    }

    #[test]
    fn other_products_of_the_app_do_not() {
        for (pattern, product) in [
            ("sticker_{tier}", "coins_100"),
            ("sticker_{tier}", "sticker_"),
            ("sticker_{tier}", "Sticker_tier1"),
            ("sticker_{tier}", ""),
            ("sticker_{pack}", "sticker_77a"),
            ("sticker.{slug}", "sticker.blue-cat"),
            ("sticker.{slug}", "sticker.blue.cat"),
            ("{slug}.{pack}", "blue_cat."),
            ("{slug}.{pack}", "77"),
            ("{pack}{pack}", "7"),
            ("{tier}.end", "tier1.ends"),
        ] {
            assert!(!matches(pattern, product), "{pattern} {product}");
        }
    }

    #[test]
    fn a_pattern_of_many_names_takes_no_longer_than_one_can_wait() {
        assert!(!matches(&"{tier}{slug}".repeat(12), &format!("{}.", "a".repeat(4_000))));
    }
}

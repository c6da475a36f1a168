//! The densities that may be asked for, in as many classes as there are variants.

use sticker_protocol::{Density, LADDER};

/// The numbers that lead to one density: from the rung below, not included, up to `most`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rung {
    pub(super) density: Density,
    most: Density,
}

/// The rungs of the ladder, ascending; the highest is for everything above as well.
///
/// Whatever subset of the ladder was built, the smallest built density >= N is also the smallest >= the rung of N, since nothing
/// is built between N and its rung; and where none is >= N, none is >= the rung either, and the largest is chosen for both.
pub(super) fn rungs() -> impl Iterator<Item = Rung> {
    let highest = LADDER.into_iter().max();
    LADDER.into_iter().map(move |density| {
        let most = if Some(density) == highest { Density::MAX } else { density };
        Rung { density, most }
    })
}

impl Rung {
    /// A regular expression for the numbers from 1 to the most of this rung, without zeros in front. The rungs before it take theirs.
    pub(super) fn numbers(self) -> String {
        let most = self.most.to_string();
        let mut alternatives = Vec::new();
        if most.len() > 1 {
            // Of fewer digits.
            alternatives.push(format!("[1-9][0-9]{{0,{}}}", most.len() - 2));
        }
        for (at, digit) in most.bytes().enumerate() {
            // As many digits, and smaller from this one on.
            let (least, below) = (if at == 0 { b'1' } else { b'0' }, digit.saturating_sub(1));
            if below >= least {
                let same = most.get(..at).unwrap_or_default();
                let rest = most.len() - at - 1;
                alternatives.push(format!(
                    "{same}[{}-{}][0-9]{{{rest}}}",
                    char::from(least),
                    char::from(below)
                ));
            }
        }
        alternatives.push(most);
        alternatives.join("|")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rung of a number, as the edges choose it.
    fn rung(wanted: Density) -> Density {
        rungs().find(|rung| wanted <= rung.most).unwrap().density
    }

    #[test]
    fn whatever_was_built_a_density_and_its_rung_choose_the_same() {
        for wanted in (1..=4096).map(|number| Density::new(number).unwrap()) {
            for subset in 0..1_u32 << LADDER.len() {
                let built = || (0..LADDER.len()).filter(|at| subset >> at & 1 == 1).map(|at| LADDER[at]);
                let (own, rungs) = (Density::choose(built(), wanted), Density::choose(built(), rung(wanted)));
                assert_eq!(own, rungs, "{wanted} of {:?}", built().collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn the_expressions_of_the_rungs_are_written_for_people_to_check() {
        let written: Vec<_> = rungs().map(|rung| format!("{} {}", rung.density, rung.numbers())).collect();
        assert_eq!(
            written,
            [
                "120 [1-9][0-9]{0,1}|1[0-1][0-9]{1}|120",
                "160 [1-9][0-9]{0,1}|1[0-5][0-9]{1}|160",
                "240 [1-9][0-9]{0,1}|[1-1][0-9]{2}|2[0-3][0-9]{1}|240",
                "320 [1-9][0-9]{0,1}|[1-2][0-9]{2}|3[0-1][0-9]{1}|320",
                "480 [1-9][0-9]{0,1}|[1-3][0-9]{2}|4[0-7][0-9]{1}|480",
                "640 [1-9][0-9]{0,2}|[1-3][0-9]{3}|40[0-8][0-9]{1}|409[0-5][0-9]{0}|4096",
            ]
        );
    }
}

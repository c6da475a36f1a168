//! Whether the trace is whole, and what is wrong with which row where it is not.

use std::fmt;

use sea_orm::{
    ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _,
};
use serde_json::Value;
use sticker_protocol::Sha256;

use super::chain::{ChainKey, Head};
use super::entity;
use super::take_over::{TAKES_OVER, unchained};
use crate::app::App;

/// What a look at the whole trace found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// So many rows are what was written, where it was written.
    pub whole: u64,
    /// Of those, so many were written by a version of the store that knew no chain, and are proven since they were taken over.
    pub taken_over: u64,
    /// Where the rows end. To be kept where who can write the database cannot.
    pub head: Head,
    /// What is wrong, in the order of the chain; the first thousand.
    pub findings: Vec<Finding>,
    /// Further findings.
    pub more_findings: u64,
}

/// Something wrong with the trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// The row is not what was written at this place.
    Altered {
        /// The row's number.
        seq: i64,
        /// The row's id.
        id: String,
    },
    /// The row does not follow from the one before it, which is altered or missing itself: nobody can say what was written here.
    Unproven {
        /// The row's number.
        seq: i64,
        /// The row's id.
        id: String,
    },
    /// The row has a number that another row has, or that was never given.
    Inserted {
        /// The row's number.
        seq: i64,
        /// The row's id.
        id: String,
    },
    /// Rows are gone from the middle.
    Missing {
        /// The first number.
        first: i64,
        /// The last number.
        last: i64,
    },
    /// Rows are gone from the end.
    CutOff {
        /// The first number.
        first: i64,
        /// The last number.
        last: i64,
    },
    /// No version of the store that knows the chain wrote the row.
    Unchained {
        /// The row's id.
        id: String,
    },
    /// The row that says where the chain ends is gone or makes no sense.
    HeadLost,
    /// The row that says where the chain ends says something else than the rows do.
    HeadAltered {
        /// What it says.
        says: Head,
    },
    /// The chain had reached this head, and now ends before it.
    RolledBack {
        /// The head that was kept.
        kept: Head,
    },
    /// The chain had this head, and now has another row there.
    Replaced {
        /// The head that was kept.
        kept: Head,
        /// The row that is there now.
        id: String,
    },
}

impl Finding {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Altered { .. } => "altered",
            Self::Unproven { .. } => "unproven",
            Self::Inserted { .. } => "inserted",
            Self::Missing { .. } => "missing",
            Self::CutOff { .. } => "cut_off",
            Self::Unchained { .. } => "unchained",
            Self::HeadLost => "head_lost",
            Self::HeadAltered { .. } => "head_altered",
            Self::RolledBack { .. } => "rolled_back",
            Self::Replaced { .. } => "replaced",
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Altered { seq, id } => {
                write!(f, "row {seq} ({id}) is not what was written there: altered, moved or put there")
            }
            Self::Unproven { seq, id } => {
                write!(f, "row {seq} ({id}) cannot be proven: the row before it is missing, moved or altered")
            }
            Self::Inserted { seq, id } => write!(f, "row {seq} ({id}) has a number that it was never given"),
            Self::Missing { first, last } if first == last => write!(f, "row {first} is missing"),
            Self::Missing { first, last } => write!(f, "rows {first} to {last} are missing"),
            Self::CutOff { first, last } if first == last => write!(f, "row {first}, the last, is missing"),
            Self::CutOff { first, last } => write!(f, "rows {first} to {last}, the last, are missing"),
            Self::Unchained { id } => write!(
                f,
                "the row {id} is in no chain: an earlier version of the store wrote it (the next start takes it over), or somebody put \
                 it there"
            ),
            Self::HeadLost => f.write_str(
                "the row of audit_head, which says where the chain ends, is gone or makes no sense",
            ),
            Self::HeadAltered { says } => write!(f, "audit_head says {says}, and the rows end elsewhere"),
            Self::RolledBack { kept } => {
                write!(
                    f,
                    "the chain had reached {kept}, and ends before: cut, or put back to an earlier time"
                )
            }
            Self::Replaced { kept, id } => write!(f, "the chain had {kept}, and has the row {id} there now"),
        }
    }
}

/// Reads the whole trace, a batch at a time, while others go on writing. `kept` is a head that an earlier look gave.
///
/// Cutting the end off together with moving `audit_head` back leaves a chain that is whole, and shorter: only `kept` tells.
///
/// # Errors
/// As the database says.
pub async fn verify(app: &App, kept: Option<Head>) -> Result<Report, DbErr> {
    let mut walk = Walk::new(&app.trace.key, kept);
    let mut expected_end = 0;
    let head = loop {
        let rows = after(&app.db, walk.last()).await?;
        if !rows.is_empty() {
            for row in &rows {
                walk.step(row);
            }
            continue;
        }
        // Read after the rows, so that it is not older than they are: row and head are written in one commit.
        let head = Head::read(&app.db).await?;
        match head {
            // Rows were written meanwhile; if they are not there now, they are gone.
            Some(head) if head.seq > walk.end.seq && head.seq > expected_end => expected_end = head.seq,
            head => break head,
        }
    };
    walk.ends(head);
    for row in unchained().limit(MOST_FINDINGS as u64).all(&app.db).await? {
        walk.finds(Finding::Unchained { id: row.id });
    }
    Ok(walk.report)
}

/// Findings beyond are counted.
const MOST_FINDINGS: usize = 1_000;

/// The rows that come next, by number and, where somebody has made a number come twice, by id.
async fn after(db: &impl ConnectionTrait, last: Option<(i64, &str)>) -> Result<Vec<entity::Model>, DbErr> {
    let mut next = entity::Entity::find()
        .filter(entity::Column::Seq.is_not_null())
        .order_by_asc(entity::Column::Seq)
        .order_by_asc(entity::Column::Id)
        .limit(BATCH);
    if let Some((seq, _)) = last {
        next = next.filter(entity::Column::Seq.gte(seq));
    }
    let mut rows = next.all(db).await?;
    rows.retain(|row| last.is_none_or(|last| (row.seq.unwrap_or_default(), row.id.as_str()) > last));
    Ok(rows)
}

const BATCH: u64 = 1_000;

/// What is known on the way along the chain.
struct Walk<'a> {
    key: &'a ChainKey,
    kept: Option<Head>,
    /// The id of the last row, with the number that it has.
    seen: Option<(i64, String)>,
    /// The last row that had its place.
    end: Head,
    /// What the hash of that row may be: as it is there, and where that is wrong as it would have to be. None after a gap.
    before: Vec<Sha256>,
    /// Whether that row is proven.
    proven: bool,
    /// So many of the next rows were taken over.
    to_take_over: u64,
    report: Report,
}

impl<'a> Walk<'a> {
    fn new(key: &'a ChainKey, kept: Option<Head>) -> Self {
        let report =
            Report { whole: 0, taken_over: 0, head: Head::NONE, findings: Vec::new(), more_findings: 0 };
        let mut walk = Self {
            key,
            kept,
            seen: None,
            end: Head::NONE,
            before: vec![Head::NONE.hash],
            proven: true,
            to_take_over: 0,
            report,
        };
        if let Some(kept) = kept.filter(|kept| kept.seq < 1 && *kept != Head::NONE) {
            walk.finds(Finding::RolledBack { kept });
        }
        walk
    }

    fn last(&self) -> Option<(i64, &str)> {
        self.seen.as_ref().map(|(seq, id)| (*seq, id.as_str()))
    }

    fn step(&mut self, row: &entity::Model) {
        let (seq, id) = (row.seq.unwrap_or_default(), row.id.clone());
        self.seen = Some((seq, id.clone()));
        let expected = self.end.seq.saturating_add(1);
        if seq < expected {
            return self.finds(Finding::Inserted { seq, id });
        }
        if seq > expected {
            self.finds(Finding::Missing { first: expected, last: seq.saturating_sub(1) });
            self.before.clear();
            self.proven = false;
            self.to_take_over = 0;
        }
        let stored: Option<Sha256> = row.hash.as_deref().and_then(|hash| hash.parse().ok());
        let computed: Vec<Sha256> =
            self.before.iter().map(|before| self.key.link(before, seq, row)).collect();
        let proven = stored.is_some_and(|stored| computed.contains(&stored));
        match (proven, self.proven) {
            (true, _) => self.report.whole += 1,
            (false, true) => self.finds(Finding::Altered { seq, id: id.clone() }),
            (false, false) => self.finds(Finding::Unproven { seq, id: id.clone() }),
        }
        if let Some(kept) = self.kept.filter(|kept| kept.seq == seq && stored != Some(kept.hash)) {
            self.finds(Finding::Replaced { kept, id });
        }
        self.counts_taken_over(row, proven);
        // Where the row's own hash was altered, the next row follows from the one that it should have.
        let may_be = stored.into_iter().chain(computed.into_iter().filter(|_| !proven)).take(MOST_GUESSES);
        self.before = may_be.collect();
        self.proven = proven;
        self.end = Head { seq, hash: stored.unwrap_or(Head::NONE.hash) };
        self.report.head = self.end;
    }

    fn counts_taken_over(&mut self, row: &entity::Model, proven: bool) {
        if self.to_take_over > 0 {
            self.to_take_over -= 1;
            self.report.taken_over += u64::from(proven);
        } else if proven && row.action == TAKES_OVER {
            let detail: Option<Value> = serde_json::from_str(&row.detail).ok();
            let rows = detail.as_ref().and_then(|detail| detail.get("rows")?.as_u64());
            self.to_take_over = rows.unwrap_or_default();
        }
    }

    fn ends(&mut self, head: Option<Head>) {
        match head {
            None => self.finds(Finding::HeadLost),
            Some(head) if head.seq > self.end.seq => {
                let (first, last) = (self.end.seq.saturating_add(1), head.seq);
                self.finds(Finding::CutOff { first, last });
            }
            Some(head) if head.seq < self.end.seq || !self.before.contains(&head.hash) => {
                self.finds(Finding::HeadAltered { says: head });
            }
            Some(_) => {}
        }
        if let Some(kept) = self.kept.filter(|kept| kept.seq > self.end.seq) {
            self.finds(Finding::RolledBack { kept });
        }
    }

    fn finds(&mut self, finding: Finding) {
        if self.report.findings.len() < MOST_FINDINGS {
            self.report.findings.push(finding);
        } else {
            self.report.more_findings += 1;
        }
    }
}

/// Of rows that are altered one after the other, the hashes that each would have are not followed further than this.
const MOST_GUESSES: usize = 4;

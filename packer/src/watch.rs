//! Builds a project again whenever it changes, and shows the newest build to a browser on this machine.

mod board;
mod changes;
mod counts;
mod renewed;
mod server;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::build::{BuildOptions, BuildReport, build};
use crate::error::Error;
use crate::preview::{PreviewError, PreviewReport, default_page, nothing_yet, preview_of_build};
use crate::progress::Progress;
use board::Board;
use changes::Changes;
use renewed::Stickers;

/// A project that is watched, and the page that shows its newest build.
#[derive(Debug)]
pub struct Watch {
    project: PathBuf,
    out: PathBuf,
    changes: Changes,
    board: Arc<Board>,
    address: SocketAddr,
    /// What stands in `out`.
    stickers: Option<Stickers>,
}

/// What was built after a change.
#[derive(Clone, Debug)]
pub struct Built {
    /// The release.
    pub build: BuildReport,
    /// The page that was written beside it, with the build's scores.
    pub preview: PreviewReport,
    /// Names of the stickers whose files are other ones than in the release before, in the pack's order; all where there was none.
    pub renewed: Vec<String>,
    /// Whether the release is, byte for byte, the one before.
    pub is_same: bool,
}

/// Why a project is not watched, or was not built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WatchError {
    /// Nothing could be built. The earlier build is still there, and served.
    #[error(transparent)]
    Build(#[from] Error),
    /// The build is there and its page is not; the earlier page is served.
    #[error(transparent)]
    Preview(#[from] PreviewError),
    /// The page cannot be served.
    #[error("cannot serve the page on port {port} of this machine")]
    Serve {
        /// As it was asked for; 0 for any.
        port: u16,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The system does not tell what changes in the folder.
    #[error("cannot watch {}", folder.display())]
    Watch {
        /// The project.
        folder: PathBuf,
        /// What the system said.
        #[source]
        source: notify::Error,
    },
}

impl Watch {
    /// Begins to watch the project in `folder`, which will be built into `out`, and to serve its page on this machine alone, at `port`
    /// or, where that is 0, at one that the system chooses.
    ///
    /// # Errors
    /// [`WatchError::Serve`] or [`WatchError::Watch`].
    pub fn start(folder: &Path, out: &Path, port: u16) -> Result<Self, WatchError> {
        let changes = Changes::in_project(folder, out)?;
        let name =
            folder.canonicalize().ok().and_then(|it| Some(it.file_name()?.to_string_lossy().into_owned()));
        let board = Arc::new(Board::new(nothing_yet(&name.unwrap_or_default())));
        let address = server::start(port, &board).map_err(|source| WatchError::Serve { port, source })?;
        let stickers = renewed::stickers(out);
        Ok(Self { project: folder.to_owned(), out: out.to_owned(), changes, board, address, stickers })
    }

    /// Where a browser on this machine finds the page.
    pub fn address(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Builds the project as it is now, writes its page beside the release, and shows it, or what is wrong, to who looks at the
    /// served page.
    ///
    /// # Errors
    /// [`WatchError::Build`] or [`WatchError::Preview`].
    pub fn build(
        &mut self,
        options: &BuildOptions<'_>,
        progress: &dyn Progress,
    ) -> Result<Built, WatchError> {
        let built = self.build_and_show(options, progress);
        if let Err(error) = &built {
            self.board.tells(wrong(error));
        }
        built
    }

    fn build_and_show(
        &mut self,
        options: &BuildOptions<'_>,
        progress: &dyn Progress,
    ) -> Result<Built, WatchError> {
        self.changes.build_begins();
        let report = build(&self.project, &self.out, options, progress);
        self.changes.build_ended(report.as_ref().ok());
        let report = report?;
        let to = default_page(&self.out)?;
        let (preview, page) = preview_of_build((&self.out, &report), &to, options.jobs)?;
        let now = renewed::stickers(&self.out);
        let built = Built {
            preview,
            renewed: renewed::names(self.stickers.as_ref(), now.as_ref()),
            is_same: self.stickers.as_ref().is_some_and(|before| before.release == report.release),
            build: report,
        };
        self.stickers = now;
        self.board.shows(page);
        Ok(built)
    }

    /// Waits until something in the project changed, and then until nothing did for a moment. Gives the paths inside the project,
    /// ascending; those changed while the last build was at work count too.
    ///
    /// # Errors
    /// [`WatchError::Watch`] where the system gave up.
    pub fn changed(&mut self) -> Result<Vec<PathBuf>, WatchError> {
        self.changes.next()
    }
}

/// Every error, as a terminal shows it.
fn wrong(error: &WatchError) -> Vec<String> {
    use crate::finding::Level;
    match error {
        WatchError::Build(Error::BadInput(findings)) => {
            findings.iter().filter(|finding| finding.level == Level::Error).map(ToString::to_string).collect()
        }
        error => {
            let causes = std::iter::successors(Some(error as &dyn std::error::Error), |it| it.source());
            vec![causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")]
        }
    }
}

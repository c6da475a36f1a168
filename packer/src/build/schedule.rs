//! All stickers of a pack at once, on all cores, within a bound of memory.

use std::sync::{Mutex, PoisonError};

use rayon::Scope;

use super::BuildOptions;
use super::cache::{Cache, Key};
use super::render::{Order, Rendered};
use super::timing;
use crate::check::Surveyed;
use crate::encode::{Effort, Quality};
use crate::error::Error;
use crate::finding::Finding;
use crate::progress::Progress;
use crate::room::Room;

/// Renders the stickers of a pack.
pub(super) struct Renderer<'a> {
    orders: Vec<Order<'a>>,
    cache: Option<Cache>,
    room: &'a Room,
    done: Vec<Mutex<Option<Done>>>,
    progress: &'a dyn Progress,
}

/// A sticker, or the findings that say why there is none.
type Done = Result<(Option<Rendered>, Vec<Finding>), Error>;

impl<'a> Renderer<'a> {
    pub(super) fn new(
        surveyed: &'a Surveyed,
        quality: Quality,
        options: &BuildOptions<'_>,
        room: &'a Room,
        progress: &'a dyn Progress,
    ) -> Self {
        let stickers = surveyed.project.file.stickers.iter().zip(&surveyed.artworks);
        let orders: Vec<_> = stickers
            .map(|(sticker, artwork)| Order {
                artwork,
                canvas: surveyed.project.canvas,
                densities: &surveyed.densities,
                poster: sticker.poster,
                durations_ms: timing::durations(sticker, artwork),
                quality,
                effort: options.effort,
            })
            .collect();
        let done = orders.iter().map(|_| Mutex::new(None)).collect();
        let cache = options.cache.as_deref().and_then(Cache::open);
        Self { orders, cache, room, done, progress }
    }

    /// Starts every sticker in `scope`, the large ones first, each once there is room for it.
    pub(super) fn start<'s>(&'s self, scope: &Scope<'s>) {
        self.progress.begins(self.orders.len());
        let mut by_size: Vec<_> = self.orders.iter().zip(&self.done).collect();
        by_size.sort_by_key(|(order, _)| std::cmp::Reverse(weight(order)));
        for (order, done) in by_size {
            let place = self.room.enter(weight(order));
            scope.spawn(move |_| {
                let rendered = self.render(order);
                *done.lock().unwrap_or_else(PoisonError::into_inner) = Some(rendered);
                drop(place);
                self.progress.step();
            });
        }
    }

    fn render(&self, order: &Order<'_>) -> Done {
        let mut findings = Vec::new();
        let Some(cache) = &self.cache else {
            let rendered = order.render(&mut findings)?;
            return Ok((rendered, findings));
        };
        let key = Key::of(order)?;
        if let Some(rendered) = cache.find(&key) {
            return Ok((Some(rendered), findings));
        }
        let rendered = order.render(&mut findings)?;
        // Findings would be missing the next time.
        if let (Some(rendered), [], true) = (&rendered, findings.as_slice(), key.still_holds(order)) {
            cache.keep(&key, rendered);
        }
        Ok((rendered, findings))
    }

    /// In the order of the project, so that neither bytes nor findings depend on which thread was faster.
    pub(super) fn finish(self) -> Result<(Vec<Rendered>, Vec<Finding>), Error> {
        if let Some(cache) = &self.cache {
            cache.tidy();
        }
        let (mut all, mut findings) = (Vec::new(), Vec::new());
        for done in self.done {
            let Some(done) = done.into_inner().unwrap_or_else(PoisonError::into_inner) else { continue };
            let (rendered, found) = done?;
            findings.extend(found);
            all.extend(rendered);
        }
        Ok((all, findings))
    }
}

/// Pixels that a sticker has in memory while it is rendered: the artwork in two forms, every size, and what scoring needs.
fn weight(order: &Order<'_>) -> u64 {
    let artwork = u64::from(order.artwork.width) * u64::from(order.artwork.height);
    let sizes = order.densities.iter().map(|density| {
        u64::from(density.px(order.canvas.width_dp)) * u64::from(density.px(order.canvas.height_dp))
    });
    let frames = (artwork + sizes.clone().sum::<u64>()) * order.artwork.frames() as u64;
    let scoring = if order.effort == Effort::Fast { 0 } else { sizes.max().unwrap_or_default() * 24 };
    frames + artwork * 2 + scoring
}

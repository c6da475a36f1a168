//! The messengers that packs are exported for.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use crate::lint::platforms::PlatformId;

/// A messenger that packs are exported for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Messenger {
    /// Files for the Bot API's `createNewStickerSet`.
    Telegram,
    /// The layout of `WhatsApp`'s sample apps.
    WhatsApp,
    /// Files for the sticker creator of Signal Desktop.
    Signal,
}

impl Messenger {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Telegram, Self::WhatsApp, Self::Signal];

    /// Whose limits are kept; its name is the messenger's on the command line.
    pub const fn platform(self) -> PlatformId {
        match self {
            Self::Telegram => PlatformId::Telegram,
            Self::WhatsApp => PlatformId::WhatsApp,
            Self::Signal => PlatformId::Signal,
        }
    }
}

impl fmt::Display for Messenger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.platform().fmt(f)
    }
}

/// Nothing is exported for a messenger of this name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("nothing is exported for a messenger of this name; telegram, whatsapp and signal are known")]
pub struct UnknownMessenger;

impl FromStr for Messenger {
    type Err = UnknownMessenger;

    fn from_str(name: &str) -> Result<Self, UnknownMessenger> {
        Self::ALL.into_iter().find(|messenger| messenger.platform().name() == name).ok_or(UnknownMessenger)
    }
}

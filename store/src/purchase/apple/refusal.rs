//! Why something that Apple is said to have signed is refused.

/// A refusal by what is wrong, with the reason for people inside.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The certificates do not lead from a root of ours to a leaf that may sign for the App Store.
    #[error("the certificates are not trusted")]
    Chain(#[from] ChainFault),
    /// The certificates are trusted, and the text is not what their key has signed with ES256.
    #[error("the signature does not hold")]
    Signature(#[from] SignatureFault),
    /// Signed by Apple, and about another app.
    #[error("it is about another app")]
    App(#[from] AppFault),
    /// Signed by Apple, and of another of its worlds.
    #[error("it is of another environment")]
    Environment(#[from] EnvironmentFault),
    /// Not what the App Store sends at all.
    #[error("it has not the form that the App Store gives it")]
    Malformed(#[from] Malformed),
}

impl Refusal {
    /// The stable code: `bad_chain`, `bad_signature`, `wrong_app`, `wrong_environment` or `malformed`.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Chain(_) => "bad_chain",
            Self::Signature(_) => "bad_signature",
            Self::App(_) => "wrong_app",
            Self::Environment(_) => "wrong_environment",
            Self::Malformed(_) => "malformed",
        }
    }

    /// What to do about it.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Chain(ChainFault::ForeignRoot) => {
                "the third certificate has name and key of one of the roots given; is it signed by Xcode, or by somebody else?"
            }
            Self::Chain(ChainFault::NotYetValid(_) | ChainFault::Expired(_)) => {
                "check the clock, or look at another time"
            }
            Self::Chain(_) => "three certificates that Apple issued for signing by the App Store are needed",
            Self::Signature(_) => "it was altered on the way, or somebody else has signed it; fetch it anew",
            Self::App(_) => "check the bundle id and the app's id in App Store Connect",
            Self::Environment(_) => {
                "what is bought from TestFlight or with a sandbox account is of Sandbox, what is bought for money of Production"
            }
            Self::Malformed(_) => {
                "give the text of the signed data as it came, and name its kind: transaction, notification or renewal"
            }
        }
    }
}

/// Which of the three certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The first, whose key signs.
    Leaf,
    /// The second, which issued the leaf.
    Intermediate,
    /// The third, which we know.
    Root,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Leaf => "leaf",
            Self::Intermediate => "intermediate",
            Self::Root => "root",
        })
    }
}

/// What is wrong with the certificates.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChainFault {
    /// Not three; none where the header names none.
    #[error("the number of certificates is {0} instead of three")]
    Count(usize),
    /// Not standard base64 of a DER certificate and nothing else.
    #[error("the {0} certificate cannot be read")]
    Unreadable(Place),
    /// The third certificate has not name and key of a root of ours.
    #[error("the root is none of ours")]
    ForeignRoot,
    /// The certificate lacks the extension by which Apple marks what may sign for the App Store.
    #[error("the {0} certificate lacks Apple's marker")]
    NoMarker(Place),
    /// Its validity has not begun.
    #[error("the {0} certificate is not valid yet")]
    NotYetValid(Place),
    /// Its validity is over.
    #[error("the {0} certificate has expired")]
    Expired(Place),
    /// The key may not be used for this.
    #[error("the {0} certificate's key is for another use")]
    KeyUsage(Place),
    /// The leaf is issued by the root itself, past the intermediate.
    #[error("the intermediate certificate did not issue the leaf")]
    Detour,
    /// One did not issue the next, is no authority, or is signed with another algorithm than ECDSA.
    #[error("one certificate does not vouch for the next")]
    Path(#[source] webpki::Error),
}

/// What is wrong with the signature.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureFault {
    /// Another algorithm than ES256, such as `none` or `HS256`.
    #[error("the algorithm is not ES256")]
    Algorithm,
    /// Not two numbers of 32 bytes.
    #[error("the signature has {0} bytes instead of 64")]
    Length(usize),
    /// The leaf's key cannot have made it.
    #[error("the leaf certificate's key is not P-256")]
    Key,
    /// Something else was signed, or by somebody else.
    #[error("the leaf certificate's key has not signed this")]
    Mismatch,
}

/// Which other app it is about.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AppFault {
    /// Another bundle id.
    #[error("the bundle id is {0:?}")]
    Bundle(String),
    /// Another app id, or none in production.
    #[error("the app id is {}", .0.map_or_else(|| "missing".to_owned(), |id| id.to_string()))]
    AppId(Option<u64>),
}

/// Another environment than the one that was expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the environment is {0:?}")]
pub struct EnvironmentFault(pub String);

/// What is wrong with the form.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Malformed {
    /// The body around a notification is not `{"signedPayload": "..."}`.
    #[error("the body is not an object with a text `signedPayload`")]
    Body(#[source] serde_json::Error),
    /// Not text at all.
    #[error("it is not text")]
    NotText,
    /// More than [`super::MAX_BYTES`].
    #[error("it has {0} bytes")]
    TooLong(usize),
    /// Not header, payload and signature.
    #[error("it has {0} part{plural} instead of three", plural = if *.0 == 1 { "" } else { "s" })]
    Parts(usize),
    /// A part is not canonical base64url without padding.
    #[error("the {0} is not base64url")]
    Base64(&'static str),
    /// The header is not JSON of the right form.
    #[error("the header cannot be read")]
    Header(#[source] serde_json::Error),
    /// The header has no `alg`.
    #[error("the header names no algorithm")]
    NoAlgorithm,
    /// The header has `crit`: something that must be understood, and is not.
    #[error("the header has critical extensions")]
    Critical,
    /// The payload is not JSON of the right form.
    #[error("the payload cannot be read")]
    Payload(#[source] serde_json::Error),
    /// A claim that must be there is not.
    #[error("the claim `{0}` is missing")]
    Missing(&'static str),
    /// A claim that has no meaning for us.
    #[error("the claim `{0}` makes no sense")]
    Senseless(&'static str),
}

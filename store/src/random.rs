//! Random bytes for secrets, ids and codes.

use base64_simd::URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom, SystemRandom};
use uuid::Uuid;

/// The system's cryptographic random generator.
#[derive(Clone, Debug)]
pub struct Random(SystemRandom);

/// The system gives no random bytes.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the system gives no random bytes")]
pub struct NoRandom;

impl Random {
    /// The system's generator.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where the store takes the system's generator"
    )]
    pub fn system() -> Self {
        Self(SystemRandom::new())
    }

    /// The generator as ring's trait, for the packer's library.
    pub fn secure(&self) -> &dyn SecureRandom {
        &self.0
    }

    /// Fresh bytes.
    ///
    /// # Errors
    /// [`NoRandom`].
    pub fn bytes<const N: usize>(&self) -> Result<[u8; N], NoRandom> {
        let mut bytes = [0; N];
        self.0.fill(&mut bytes).ok().ok_or(NoRandom)?;
        Ok(bytes)
    }

    /// 32 random bytes as 43 characters of base64url, after a prefix that says what they open.
    ///
    /// # Errors
    /// [`NoRandom`].
    pub fn secret(&self, prefix: &str) -> Result<String, NoRandom> {
        Ok(format!("{prefix}{}", URL_SAFE_NO_PAD.encode_to_string(self.bytes::<32>()?)))
    }

    /// A random (version 4) UUID.
    ///
    /// # Errors
    /// [`NoRandom`].
    pub fn uuid(&self) -> Result<Uuid, NoRandom> {
        Ok(uuid::Builder::from_random_bytes(self.bytes()?).into_uuid())
    }
}

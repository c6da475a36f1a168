//! Objects in S3, or in another vendor's storage that speaks it.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::RequestChecksumCalculation;
use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::operation::get_object::GetObjectError;
use aws_sdk_s3::operation::head_object::HeadObjectError;
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::ByteStream;
use aws_smithy_http_client::tls;
use base64_simd::STANDARD;
use sticker_protocol::Sha256;
use tokio::task::JoinSet;

use super::{Got, INCOMING, Name, ObjectError, Stored, key, named};
use crate::config;

/// A bucket.
#[derive(Clone, Debug)]
pub struct S3 {
    client: Client,
    bucket: String,
    /// How long a whole object may take on its way here.
    patience: Duration,
}

/// Where the bytes of one file can be sent with `PUT`, and with which headers. Whoever has it needs no other right.
#[derive(Clone)]
pub struct Address {
    /// The address, signature included.
    pub url: String,
    /// Headers that are part of what is signed.
    pub headers: BTreeMap<String, String>,
}

impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Address").finish_non_exhaustive()
    }
}

impl S3 {
    pub(super) async fn open(settings: &config::Objects) -> Self {
        let http = aws_smithy_http_client::Builder::new()
            .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring))
            .build_https();
        let one = Duration::from_secs(settings.timeout_seconds.into());
        let all = one.saturating_mul(settings.attempts);
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(one.min(CONNECT))
            .read_timeout(one)
            .operation_attempt_timeout(one)
            .operation_timeout(all)
            .build();
        let mut shared = aws_config::defaults(BehaviorVersion::latest())
            .region(Region::new(settings.region.clone()))
            .timeout_config(timeouts)
            .retry_config(RetryConfig::standard().with_max_attempts(settings.attempts))
            .http_client(http);
        if !settings.endpoint.is_empty() {
            shared = shared.endpoint_url(settings.endpoint.clone());
        }
        let checksums = match settings.checksums {
            config::Checksums::WhenRequired => RequestChecksumCalculation::WhenRequired,
            config::Checksums::WhenSupported => RequestChecksumCalculation::WhenSupported,
        };
        let settled = aws_sdk_s3::config::Builder::from(&shared.load().await)
            .force_path_style(settings.path_style)
            .request_checksum_calculation(checksums)
            .build();
        Self { client: Client::from_conf(settled), bucket: settings.bucket.clone(), patience: all }
    }

    pub(super) async fn put(&self, key: &str, content: Vec<u8>) -> Result<(), ObjectError> {
        let put = self.client.put_object().bucket(&self.bucket).key(key);
        put.body(ByteStream::from(content)).send().await.map_err(failed).map(drop)
    }

    pub(super) async fn get(&self, key: &str, at_most: u64) -> Result<Got, ObjectError> {
        let got = match self.client.get_object().bucket(&self.bucket).key(key).send().await {
            Ok(got) => got,
            Err(error) if error.as_service_error().is_some_and(GetObjectError::is_no_such_key) => {
                return Ok(Got::None);
            }
            Err(error) => return Err(failed(error)),
        };
        let length = got.content_length().and_then(|length| u64::try_from(length).ok());
        if length.is_none_or(|length| length > at_most) {
            return Ok(Got::TooLarge);
        }
        // The client's own limits end with the head of the answer.
        let body = tokio::time::timeout(self.patience, got.body.collect());
        let content = body.await.map_err(|late| ObjectError::S3(late.into()))?;
        Ok(Got::Whole(content.map_err(|error| ObjectError::S3(error.into()))?.to_vec()))
    }

    pub(super) async fn has(&self, key: &str) -> Result<bool, ObjectError> {
        match self.client.head_object().bucket(&self.bucket).key(key).send().await {
            Ok(_) => Ok(true),
            Err(error) if error.as_service_error().is_some_and(HeadObjectError::is_not_found) => Ok(false),
            Err(error) => Err(failed(error)),
        }
    }

    pub(super) async fn which(&self, hashes: &[Sha256]) -> Result<HashSet<Sha256>, ObjectError> {
        let (mut there, mut asking, mut next) = (HashSet::new(), JoinSet::new(), hashes.iter());
        loop {
            while asking.len() < AT_ONCE
                && let Some(&hash) = next.next()
            {
                let s3 = self.clone();
                asking.spawn(async move { s3.has(&key(hash)).await.map(|has| has.then_some(hash)) });
            }
            match asking.join_next().await {
                None => return Ok(there),
                Some(Ok(answer)) => there.extend(answer?),
                Some(Err(error)) => return Err(ObjectError::S3(error.into())),
            }
        }
    }

    pub(super) async fn remove(&self, key: &str) -> Result<(), ObjectError> {
        self.client.delete_object().bucket(&self.bucket).key(key).send().await.map_err(failed).map(drop)
    }

    pub(super) async fn upload_address(
        &self,
        key: &str,
        (hash, size): (Sha256, u64),
        seconds: u32,
    ) -> Result<Address, ObjectError> {
        let until = PresigningConfig::expires_in(Duration::from_secs(seconds.into()));
        let until = until.map_err(|error| ObjectError::S3(error.into()))?;
        let put = self.client.put_object().bucket(&self.bucket).key(key);
        // AWS compares the bytes with this checksum; others may only keep it, which is why the check reads them.
        let put = put
            .content_length(i64::try_from(size).unwrap_or(i64::MAX))
            .checksum_sha256(STANDARD.encode_to_string(hash.as_bytes()));
        let signed = put.presigned(until).await.map_err(failed)?;
        let headers = signed.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Ok(Address { url: signed.uri().to_owned(), headers })
    }

    pub(super) async fn arrived(&self, release: &str) -> Result<HashMap<Sha256, u64>, ObjectError> {
        let mut arrived = HashMap::new();
        let mut tell = |it: Stored| {
            if let Name::Incoming(_, hash) = it.name {
                arrived.insert(hash, it.bytes);
            }
        };
        self.list(&format!("{INCOMING}/{release}/"), &mut tell).await?;
        Ok(arrived)
    }

    pub(super) async fn list(
        &self,
        prefix: &str,
        tell: &mut (dyn FnMut(Stored) + Send),
    ) -> Result<(), ObjectError> {
        let listing = self.client.list_objects_v2().bucket(&self.bucket).prefix(prefix);
        let mut pages = listing.into_paginator().send();
        while let Some(page) = pages.next().await {
            for object in page.map_err(failed)?.contents() {
                let bytes = object.size().and_then(|size| u64::try_from(size).ok());
                // Without a date it counts as new.
                let written_at =
                    object.last_modified().and_then(|at| at.to_millis().ok()).unwrap_or(i64::MAX);
                if let (Some(name), Some(bytes)) = (object.key().and_then(named), bytes) {
                    tell(Stored { name, bytes, written_at });
                }
            }
        }
        Ok(())
    }

    pub(super) async fn probe(&self) -> Result<(), ObjectError> {
        self.client.head_bucket().bucket(&self.bucket).send().await.map_err(failed).map(drop)
    }
}

const CONNECT: Duration = Duration::from_secs(5);
/// Questions under way at the same time.
const AT_ONCE: usize = 16;

fn failed<E, R>(error: SdkError<E, R>) -> ObjectError
where
    SdkError<E, R>: std::error::Error + Send + Sync + 'static,
{
    ObjectError::S3(Box::new(error))
}

//! Objects in S3, or in another vendor's storage that speaks it.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::RequestChecksumCalculation;
use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::operation::get_object::GetObjectError;
use aws_sdk_s3::operation::head_object::HeadObjectError;
use aws_sdk_s3::primitives::ByteStream;
use aws_smithy_http_client::tls;
use sticker_protocol::Sha256;

use super::{ObjectError, key};
use crate::config;

/// A bucket.
#[derive(Clone, Debug)]
pub struct S3 {
    client: Client,
    bucket: String,
    /// How long a whole object may take on its way here.
    patience: Duration,
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

    pub(super) async fn put(&self, hash: Sha256, content: Vec<u8>) -> Result<(), ObjectError> {
        let put = self.client.put_object().bucket(&self.bucket).key(key(hash));
        put.body(ByteStream::from(content)).send().await.map_err(failed).map(drop)
    }

    pub(super) async fn get(&self, hash: Sha256) -> Result<Option<Vec<u8>>, ObjectError> {
        let got = match self.client.get_object().bucket(&self.bucket).key(key(hash)).send().await {
            Ok(got) => got,
            Err(error) if error.as_service_error().is_some_and(GetObjectError::is_no_such_key) => {
                return Ok(None);
            }
            Err(error) => return Err(failed(error)),
        };
        // The client's own limits end with the head of the answer.
        let body = tokio::time::timeout(self.patience, got.body.collect());
        let content = body.await.map_err(|late| ObjectError::S3(late.into()))?;
        Ok(Some(content.map_err(|error| ObjectError::S3(error.into()))?.to_vec()))
    }

    pub(super) async fn has(&self, hash: Sha256) -> Result<bool, ObjectError> {
        match self.client.head_object().bucket(&self.bucket).key(key(hash)).send().await {
            Ok(_) => Ok(true),
            Err(error) if error.as_service_error().is_some_and(HeadObjectError::is_not_found) => Ok(false),
            Err(error) => Err(failed(error)),
        }
    }

    pub(super) async fn remove(&self, key: &str) -> Result<(), ObjectError> {
        self.client.delete_object().bucket(&self.bucket).key(key).send().await.map_err(failed).map(drop)
    }

    pub(super) async fn probe(&self) -> Result<(), ObjectError> {
        self.client.head_bucket().bucket(&self.bucket).send().await.map_err(failed).map(drop)
    }
}

fn failed<E, R>(error: SdkError<E, R>) -> ObjectError
where
    SdkError<E, R>: std::error::Error + Send + Sync + 'static,
{
    ObjectError::S3(Box::new(error))
}

const CONNECT: Duration = Duration::from_secs(5);

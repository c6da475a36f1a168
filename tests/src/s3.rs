//! Objects in a real S3: a bucket of its own for each test, where the environment gives the server's address.

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region, RequestChecksumCalculation};
use aws_sdk_s3::primitives::ByteStream;

use crate::database::fresh_name;
use crate::left_out;

/// A fresh bucket; removed with all that is in it when dropped.
#[derive(Debug)]
pub struct Bucket {
    name: String,
    server: String,
    endpoint: String,
    owned: bool,
}

impl Bucket {
    /// Makes a bucket on the server of `STICKER_TEST_S3_URL`; `None`, which is said, where there is none.
    pub fn fresh() -> Option<Self> {
        let Ok(server) = std::env::var("STICKER_TEST_S3_URL") else {
            left_out("S3", "STICKER_TEST_S3_URL is not set");
            return None;
        };
        // A bucket's name has no underscore.
        let name = fresh_name().replace('_', "-");
        let bucket = Self { name, endpoint: server.clone(), server, owned: true };
        bucket.on_client(async |s3| {
            s3.create_bucket().bucket(&bucket.name).send().await.expect("S3 makes a bucket");
        });
        Some(bucket)
    }

    /// The same bucket, reached at another address, such as a proxy's.
    #[must_use]
    pub fn at(&self, endpoint: &str) -> Self {
        Self {
            name: self.name.clone(),
            server: self.server.clone(),
            endpoint: endpoint.to_owned(),
            owned: false,
        }
    }

    /// The address of the server itself.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// What a store needs in its environment to keep its objects here.
    pub fn settings(&self) -> Vec<(&str, &str)> {
        vec![
            ("STICKER_STORE__OBJECTS__KIND", "s3"),
            ("STICKER_STORE__OBJECTS__BUCKET", &self.name),
            ("STICKER_STORE__OBJECTS__REGION", REGION),
            ("STICKER_STORE__OBJECTS__ENDPOINT", &self.endpoint),
            ("STICKER_STORE__OBJECTS__PATH_STYLE", "true"),
            ("STICKER_STORE__OBJECTS__CHECKSUMS", "when_required"),
            ("AWS_ACCESS_KEY_ID", ACCESS_KEY),
            ("AWS_SECRET_ACCESS_KEY", SECRET_KEY),
        ]
    }

    /// The keys of all objects, sorted.
    pub fn keys(&self) -> Vec<String> {
        self.on_client(async |s3| {
            let mut keys = Vec::new();
            let mut pages = s3.list_objects_v2().bucket(&self.name).into_paginator().send();
            while let Some(page) = pages.next().await {
                let page = page.expect("S3 lists the bucket");
                keys.extend(page.contents().iter().filter_map(|object| object.key().map(str::to_owned)));
            }
            keys.sort_unstable();
            keys
        })
    }

    /// An object's content; `None` where there is none.
    pub fn content(&self, key: &str) -> Option<Vec<u8>> {
        self.on_client(async |s3| match s3.get_object().bucket(&self.name).key(key).send().await {
            Ok(got) => Some(got.body.collect().await.expect("S3 gives the whole object").to_vec()),
            Err(error) => {
                let error = error.into_service_error();
                assert!(error.is_no_such_key(), "S3 does not give {key}: {error}");
                None
            }
        })
    }

    /// Writes an object behind the store's back, as damage does.
    pub fn has_altered(&self, key: &str, content: Vec<u8>) {
        self.on_client(async |s3| {
            let put = s3.put_object().bucket(&self.name).key(key).body(ByteStream::from(content));
            put.send().await.expect("S3 takes the object");
        });
    }

    /// Loses an object behind the store's back.
    pub fn has_lost(&self, key: &str) {
        self.on_client(async |s3| {
            let gone = s3.delete_object().bucket(&self.name).key(key).send().await;
            gone.expect("S3 deletes the object");
        });
    }

    fn on_client<T>(&self, work: impl AsyncFnOnce(&Client) -> T) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let settings = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .region(Region::new(REGION))
            .credentials_provider(Credentials::new(ACCESS_KEY, SECRET_KEY, None, None, "tests"))
            .endpoint_url(&self.server)
            .force_path_style(true)
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .build();
        runtime.block_on(work(&Client::from_conf(settings)))
    }
}

impl Drop for Bucket {
    fn drop(&mut self) {
        if !self.owned || std::thread::panicking() {
            return;
        }
        self.keys().iter().for_each(|key| self.has_lost(key));
        self.on_client(async |s3| {
            s3.delete_bucket().bucket(&self.name).send().await.expect("S3 deletes the bucket");
        });
    }
}

/// Those of `.ci/s3`.
const REGION: &str = "default";
const ACCESS_KEY: &str = "test";
const SECRET_KEY: &str = "testtesttest";

//! Errors as clients see them: `{"error":{"code","message","request_id"}}`, with a hint and findings where there are some.

use std::fmt::Write as _;

use axum::extract::rejection::{BytesRejection, JsonRejection, PathRejection, QueryRejection};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sea_orm::DbErr;
use serde::Serialize;

use crate::db;
use crate::objects::ObjectError;
use crate::random::NoRandom;

/// An answer that is not the one that was asked for.
#[derive(Clone, Debug)]
pub struct Error {
    status: StatusCode,
    body: ErrorBody,
}

/// What the outer layer writes once it knows the request's id. The source goes to the log alone.
#[derive(Clone, Debug)]
pub(crate) struct ErrorBody {
    code: &'static str,
    message: String,
    hint: Option<&'static str>,
    findings: Vec<Finding>,
    retry_after: Option<u32>,
    source: Option<String>,
}

/// Something wrong with one file of a release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The file's path in the release.
    pub path: String,
    /// Stable name of the kind of finding.
    pub code: &'static str,
    /// What is so.
    pub message: String,
    /// What to do about it.
    pub hint: &'static str,
}

impl Error {
    /// An error with its stable code.
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        let body = ErrorBody {
            code,
            message: message.into(),
            hint: None,
            findings: Vec::new(),
            retry_after: None,
            source: None,
        };
        Self { status, body }
    }

    /// 400 for what makes no sense.
    pub fn bad_request(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// 404, without telling whether it is missing or somebody else's.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", message)
    }

    /// 409 for what collides with what is there.
    pub fn conflict(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, message)
    }

    /// 422 for what is understood and not possible.
    pub fn refused(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, message)
    }

    /// 500 for our own fault; the cause is logged, never shown.
    pub fn internal(source: &dyn std::error::Error) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the store failed; try again later")
            .because(source)
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: &'static str) -> Self {
        self.body.hint = Some(hint);
        self
    }

    /// Adds after how many seconds it is worth another try.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.body.retry_after = Some(seconds);
        self
    }

    /// Adds what is wrong with which file.
    #[must_use]
    pub fn findings(mut self, findings: Vec<Finding>) -> Self {
        self.body.findings = findings;
        self
    }

    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        self.body.code
    }

    /// Whether it is our own fault, or the system's, and not the caller's.
    pub fn is_fault(&self) -> bool {
        self.status.is_server_error()
    }

    /// After how many seconds it is worth another try, where that is known.
    pub const fn try_again_after(&self) -> Option<u32> {
        self.body.retry_after
    }

    /// What happened, for people.
    pub fn message(&self) -> &str {
        &self.body.message
    }

    /// What to do about it, where there is something to do.
    pub fn what_to_do(&self) -> Option<&'static str> {
        self.body.hint
    }

    /// The cause of a fault of our own, for logs and operators alone.
    pub fn cause(&self) -> Option<&str> {
        self.body.source.as_deref()
    }

    /// Adds the cause of a fault, for logs and operators alone.
    #[must_use]
    pub(crate) fn because(mut self, source: &dyn std::error::Error) -> Self {
        let mut text = source.to_string();
        let mut cause = source.source();
        while let Some(error) = cause {
            let _ = write!(text, ": {error}");
            cause = error.source();
        }
        self.body.source = Some(text);
        self
    }
}

/// For commands and logs; with the cause, which answers never show.
impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.body.source {
            Some(source) => write!(f, "{}: {source}", self.body.message),
            None => f.write_str(&self.body.message),
        }
    }
}

impl std::error::Error for Error {}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self.body);
        response
    }
}

impl ErrorBody {
    pub(crate) fn log(&self, request_id: &str, path: &str) {
        if let Some(source) = &self.source {
            tracing::error!(
                error.code = self.code,
                error.source = source,
                request.id = request_id,
                http.path = path,
                "failed"
            );
        }
    }

    pub(crate) fn render(&self, status: StatusCode, request_id: &str) -> Response {
        let mut error =
            serde_json::json!({ "code": self.code, "message": self.message, "request_id": request_id });
        if let Some(fields) = error.as_object_mut() {
            if let Some(hint) = self.hint {
                fields.insert("hint".to_owned(), hint.into());
            }
            if !self.findings.is_empty() {
                fields.insert("findings".to_owned(), serde_json::json!(self.findings));
            }
        }
        let mut response = (status, axum::Json(serde_json::json!({ "error": error }))).into_response();
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after(status) {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }

    /// After how many seconds it is worth another try.
    pub(crate) fn retry_after(&self, status: StatusCode) -> Option<u32> {
        self.retry_after.or((status == StatusCode::SERVICE_UNAVAILABLE).then_some(2))
    }
}

/// A database that is away is not our client's fault, and worth another try.
impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        // Somebody was there first with what is there once: whoever looks again finds it.
        if db::is_busy(&error) || db::is_duplicate(&error) {
            let message = "somebody else changed the same at the same moment; try again";
            return Self::new(StatusCode::SERVICE_UNAVAILABLE, db::BUSY, message).because(&error);
        }
        if db::is_full(&error) {
            let message = "the store has no room left; nothing was written";
            return Self::new(StatusCode::SERVICE_UNAVAILABLE, "storage_full", message)
                .retry_after(ROOM_IS_MADE)
                .because(&error);
        }
        let (status, code) = if db::is_away(&error) {
            (StatusCode::SERVICE_UNAVAILABLE, "unavailable")
        } else {
            (StatusCode::INTERNAL_SERVER_ERROR, "internal")
        };
        Self::new(status, code, "the store failed; try again later").because(&error)
    }
}

/// In seconds: somebody has to make it.
const ROOM_IS_MADE: u32 = 60;

impl From<ObjectError> for Error {
    fn from(error: ObjectError) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "the store failed; try again later")
            .because(&error)
    }
}

impl From<NoRandom> for Error {
    fn from(error: NoRandom) -> Self {
        Self::internal(&error)
    }
}

impl From<JsonRejection> for Error {
    fn from(rejection: JsonRejection) -> Self {
        let code =
            if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE { "too_large" } else { "invalid_body" };
        Self::new(rejection.status(), code, rejection.body_text())
    }
}

impl From<PathRejection> for Error {
    fn from(rejection: PathRejection) -> Self {
        if rejection.status().is_client_error() {
            Self::bad_request("invalid_address", rejection.body_text())
        } else {
            Self::internal(&rejection)
        }
    }
}

impl From<QueryRejection> for Error {
    fn from(rejection: QueryRejection) -> Self {
        Self::bad_request("invalid_query", rejection.body_text())
    }
}

impl From<BytesRejection> for Error {
    fn from(rejection: BytesRejection) -> Self {
        let code =
            if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE { "too_large" } else { "invalid_body" };
        Self::new(rejection.status(), code, rejection.body_text())
    }
}

/// A JSON body; what cannot be read is told in the store's own form.
#[derive(Debug, axum::extract::FromRequest)]
#[from_request(via(axum::Json), rejection(Error))]
pub struct Json<T>(pub T);

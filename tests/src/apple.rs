//! Apple, as far as a store sees it: an authority that signs as the App Store does, made when a test asks for it, and its API.

mod server;

use base64_simd::{STANDARD, URL_SAFE_NO_PAD};
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DistinguishedName, DnType, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, SignatureAlgorithm, date_time_ymd,
};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
};
use serde_json::{Value, json};

pub use server::{AppStore, Asked, Mood};

/// What the certificates are like. The default is as Apple's are: authorities on P-384, a leaf on P-256, both markers.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the names say it")]
#[expect(clippy::struct_excessive_bools, reason = "each is one thing that can be wrong by itself")]
pub struct Certificates {
    pub root_curve: Curve,
    pub intermediate_curve: Curve,
    pub leaf_curve: Curve,
    pub leaf_is_marked: bool,
    pub intermediate_is_marked: bool,
    pub intermediate_is_authority: bool,
    pub leaf_may_sign: bool,
    /// The root issues the leaf itself, past the intermediate.
    pub leaf_is_roots: bool,
    /// First and last year of each.
    pub root_years: (i32, i32),
    pub intermediate_years: (i32, i32),
    pub leaf_years: (i32, i32),
}

/// What a key is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Curve {
    /// NIST P-256.
    P256,
    /// NIST P-384.
    P384,
}

impl Default for Certificates {
    fn default() -> Self {
        Self {
            root_curve: Curve::P384,
            intermediate_curve: Curve::P384,
            leaf_curve: Curve::P256,
            leaf_is_marked: true,
            intermediate_is_marked: true,
            intermediate_is_authority: true,
            leaf_may_sign: true,
            leaf_is_roots: false,
            root_years: (2014, 2060),
            intermediate_years: (2020, 2050),
            leaf_years: (2024, 2045),
        }
    }
}

impl Curve {
    fn of_certificates(self) -> &'static SignatureAlgorithm {
        match self {
            Self::P256 => &PKCS_ECDSA_P256_SHA256,
            Self::P384 => &PKCS_ECDSA_P384_SHA384,
        }
    }

    fn of_signatures(self) -> &'static EcdsaSigningAlgorithm {
        match self {
            Self::P256 => &ECDSA_P256_SHA256_FIXED_SIGNING,
            Self::P384 => &ECDSA_P384_SHA384_FIXED_SIGNING,
        }
    }
}

/// Root, intermediate and leaf, and the leaf's key.
#[derive(Debug)]
pub struct AppleAuthority {
    root: Vec<u8>,
    intermediate: Vec<u8>,
    leaf: Vec<u8>,
    key: EcdsaKeyPair,
}

impl AppleAuthority {
    /// One whose certificates are as Apple's.
    pub fn new() -> Self {
        Self::with(&Certificates::default())
    }

    /// One whose certificates are like this.
    pub fn with(like: &Certificates) -> Self {
        let key = |curve: Curve| KeyPair::generate_for(curve.of_certificates()).expect("a key");
        let (root_key, intermediate_key) = (key(like.root_curve), key(like.intermediate_curve));
        let leaf_key = key(like.leaf_curve);

        let mut root = named("Test Root CA", like.root_years);
        root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        root.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let root_der = root.self_signed(&root_key).expect("a root").der().to_vec();
        let root = Issuer::new(root, root_key);

        let mut intermediate = named("Test Developer Relations", like.intermediate_years);
        if like.intermediate_is_authority {
            intermediate.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
            intermediate.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        }
        if like.intermediate_is_marked {
            intermediate.custom_extensions.push(marker(INTERMEDIATE_MARKER));
        }
        let intermediate_der =
            intermediate.signed_by(&intermediate_key, &root).expect("an intermediate").der().to_vec();
        let intermediate = Issuer::new(intermediate, intermediate_key);

        let mut leaf = named("Test Receipt Signing", like.leaf_years);
        leaf.is_ca = IsCa::ExplicitNoCa;
        leaf.key_usages = vec![if like.leaf_may_sign {
            KeyUsagePurpose::DigitalSignature
        } else {
            KeyUsagePurpose::KeyAgreement
        }];
        if like.leaf_is_marked {
            leaf.custom_extensions.push(marker(LEAF_MARKER));
        }
        let issuer = if like.leaf_is_roots { &root } else { &intermediate };
        let leaf_der = leaf.signed_by(&leaf_key, issuer).expect("a leaf").der().to_vec();

        let pkcs8 = leaf_key.serialized_der();
        let key = EcdsaKeyPair::from_pkcs8(like.leaf_curve.of_signatures(), pkcs8, &SystemRandom::new());
        Self {
            root: root_der,
            intermediate: intermediate_der,
            leaf: leaf_der,
            key: key.expect("the leaf's key"),
        }
    }

    /// The root as DER.
    pub fn root(&self) -> &[u8] {
        &self.root
    }

    /// The root as PEM.
    pub fn root_pem(&self) -> String {
        let base64 = STANDARD.encode_to_string(&self.root);
        let lines: Vec<_> = base64.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
        format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
    }

    /// Leaf, intermediate and root, as the header `x5c` has them.
    pub fn x5c(&self) -> Vec<String> {
        [&self.leaf, &self.intermediate, &self.root].map(|der| STANDARD.encode_to_string(der)).to_vec()
    }

    /// Signs a payload as the App Store does.
    pub fn signs(&self, payload: &Value) -> String {
        self.signs_with(&json!({ "alg": "ES256", "x5c": self.x5c() }), payload)
    }

    /// Signs a payload under a header of the test's.
    pub fn signs_with(&self, header: &Value, payload: &Value) -> String {
        self.signs_bytes(header.to_string().as_bytes(), payload.to_string().as_bytes())
    }

    /// Signs bytes that need not be JSON.
    pub fn signs_bytes(&self, header: &[u8], payload: &[u8]) -> String {
        let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode_to_string(bytes);
        let signed = format!("{}.{}", part(header), part(payload));
        let signature = self.key.sign(&SystemRandom::new(), signed.as_bytes()).expect("a signature");
        format!("{signed}.{}", part(signature.as_ref()))
    }

    /// A notification with a signed transaction, as the body that comes to `/v1/notifications/apple`.
    pub fn notifies(&self, kind: &str, id: &str, transaction: &Value) -> Value {
        json!({ "signedPayload": self.signs(&self.notification(kind, id, transaction)) })
    }

    /// The payload of a notification in the sandbox about a transaction, which is signed.
    pub fn notification(&self, kind: &str, id: &str, transaction: &Value) -> Value {
        let data = json!({
            "bundleId": transaction["bundleId"], "bundleVersion": "7", "environment": transaction["environment"],
            "signedTransactionInfo": self.signs(transaction),
        });
        json!({
            "notificationType": kind, "notificationUUID": id, "version": "2.0",
            "signedDate": transaction["signedDate"], "data": data,
        })
    }

    /// The payload of a transaction in the sandbox: `order` bought one `product`, with this name for the payment.
    pub fn transaction(transaction: &str, order: &str, product: &str) -> Value {
        json!({
            "transactionId": transaction, "originalTransactionId": transaction, "bundleId": BUNDLE_ID,
            "productId": product, "purchaseDate": SIGNED_MS - 2000, "originalPurchaseDate": SIGNED_MS - 2000,
            "quantity": 1, "type": "Consumable", "appAccountToken": order,
            "inAppOwnershipType": "PURCHASED", "signedDate": SIGNED_MS, "environment": "Sandbox",
            "transactionReason": "PURCHASE", "storefront": "KOR", "storefrontId": "143466",
            "price": 1_200_000, "currency": "KRW", "appTransactionId": "704312345678901234",
        })
    }
}

impl Default for AppleAuthority {
    fn default() -> Self {
        Self::new()
    }
}

/// The bundle id of the app in payloads.
pub const BUNDLE_ID: &str = "com.example.stickers";
/// When payloads say that they were signed: milliseconds since 1970, in 2026.
pub const SIGNED_MS: i64 = 1_790_000_000_000;

const LEAF_MARKER: &[u64] = &[1, 2, 840, 113_635, 100, 6, 11, 1];
const INTERMEDIATE_MARKER: &[u64] = &[1, 2, 840, 113_635, 100, 6, 2, 1];

fn marker(id: &[u64]) -> CustomExtension {
    // The DER of NULL, as in Apple's certificates.
    CustomExtension::from_oid_content(id, vec![5, 0])
}

fn named(name: &str, (first, last): (i32, i32)) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.distinguished_name.push(DnType::OrganizationName, "Test");
    params.not_before = date_time_ymd(first, 1, 1);
    params.not_after = date_time_ymd(last, 12, 31);
    params
}

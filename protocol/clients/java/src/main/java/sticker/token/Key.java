package sticker.token;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.Signature;
import java.security.spec.X509EncodedKeySpec;
import java.util.Arrays;
import java.util.HexFormat;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** A key of one algorithm, which is that of one version of tokens (section 1.1). Many threads may use it at once. */
abstract class Key {
  /** The algorithms by the words of key files. */
  enum Algorithm {
    HMAC_SHA256("hmac-sha256", 1, 32),
    ED25519("ed25519", 2, 64);

    final String word;
    final int version;
    /** Bytes of a signature. */
    final int signature;
    /** What is signed begins with it, so that a signature counts in no other version and no other protocol. */
    final byte[] domain;

    Algorithm(String word, int version, int signature) {
      this.word = word;
      this.version = version;
      this.signature = signature;
      this.domain = ("sticker-token-v" + version).getBytes(StandardCharsets.US_ASCII);
    }

    /** The algorithm of a key file's word, or null. */
    static Algorithm of(Object word) {
      return HMAC_SHA256.word.equals(word) ? HMAC_SHA256 : ED25519.word.equals(word) ? ED25519 : null;
    }
  }

  final Algorithm algorithm;

  private Key(Algorithm algorithm) {
    this.algorithm = algorithm;
  }

  /** Whether all behind the first {@code length} bytes is this key's signature of them. */
  abstract boolean signed(byte[] token, int length);

  static final class Hmac extends Key {
    private final SecretKeySpec secret;
    /** Never used itself: a clone costs less than to find the algorithm and prepare the key again, and threads share nothing. */
    private final Mac prototype;

    Hmac(byte[] secret) {
      super(Algorithm.HMAC_SHA256);
      this.secret = new SecretKeySpec(secret, "HmacSHA256");
      this.prototype = prepare();
    }

    private Mac prepare() {
      try {
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(secret);
        return mac;
      } catch (GeneralSecurityException impossible) {
        throw new IllegalStateException("every Java platform has HmacSHA256", impossible);
      }
    }

    private Mac mac() {
      try {
        return (Mac) prototype.clone();
      } catch (CloneNotSupportedException unlikeTheJdks) {
        return prepare();
      }
    }

    @Override
    boolean signed(byte[] token, int length) {
      Mac mac = mac();
      mac.update(algorithm.domain);
      mac.update(token, 0, length);
      return MessageDigest.isEqual(mac.doFinal(), Arrays.copyOfRange(token, length, token.length));
    }
  }

  static final class Ed25519 extends Key {
    /** What X.509 writes before the 32 bytes of a key (RFC 8410). */
    private static final String X509 = "302a300506032b6570032100";

    private final X509EncodedKeySpec point;

    Ed25519(byte[] point) {
      super(Algorithm.ED25519);
      this.point = new X509EncodedKeySpec(HexFormat.of().parseHex(X509 + HexFormat.of().formatHex(point)));
    }

    @Override
    boolean signed(byte[] token, int length) {
      try {
        Signature signature = Signature.getInstance("Ed25519");
        signature.initVerify(KeyFactory.getInstance("Ed25519").generatePublic(point));
        signature.update(algorithm.domain);
        signature.update(token, 0, length);
        return signature.verify(token, length, algorithm.signature);
      } catch (NoSuchAlgorithmException trimmed) {
        throw new IllegalStateException("this Java runtime lacks Ed25519 (module jdk.crypto.ec)", trimmed);
      } catch (GeneralSecurityException notOnTheCurve) {
        return false;
      }
    }
  }
}

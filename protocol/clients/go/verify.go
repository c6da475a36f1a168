// Package stickertoken lets a chat server check, in its own process, that the sender of a sticker may send it. It implements
// section 1 of the sticker protocol and uses nothing but the standard library.
//
// An [Updater] (of [WatchFile] or [FollowStore]) keeps a [Verifier] fresh in the background; the Verifier alone does no I/O.
package stickertoken

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strings"
	"sync/atomic"
	"time"
)

// A Refusal is why a token is not accepted; its text is the stable code of the specification. It is for the server and its
// logs: tell a user no more than accepted or refused.
type Refusal string

// The refusals, in the order of the checks.
const (
	Malformed          Refusal = "malformed"
	UnsupportedVersion Refusal = "unsupported_version"
	UnknownKey         Refusal = "unknown_key"
	BadSignature       Refusal = "bad_signature"
	Expired            Refusal = "expired"
	WrongSticker       Refusal = "wrong_sticker"
	WrongUser          Refusal = "wrong_user"
	Revoked            Refusal = "revoked"
)

func (r Refusal) Error() string { return string(r) }

// The shape of a token (sections 1.1 and 1.2).
const (
	fieldsLen   = 15
	maxUserLen  = 128
	minTextV1   = 64
	maxTextV1   = 234
	maxTextV2   = 276
	minLenV2    = fieldsLen + 1 + ed25519.SignatureSize
	maxLen      = fieldsLen + maxUserLen + ed25519.SignatureSize
	domainV1    = "sticker-token-v1"
	domainV2    = "sticker-token-v2"
	maxSafeInt  = 1<<53 - 1
	maxSignedV1 = len(domainV1) + fieldsLen + maxUserLen
)

// Verifier checks tokens against a ring and a deny list, both of which may be replaced while any number of goroutines verify.
// It never waits for anything but the short locks of the deny list.
type Verifier struct {
	// Denied is the deny list, empty at first.
	Denied DenyList
	ring   atomic.Pointer[Ring]
}

// NewVerifier makes a Verifier with an empty deny list.
func NewVerifier(ring *Ring) *Verifier {
	v := new(Verifier)
	v.SetRing(ring)
	return v
}

// SetRing puts another ring into use, for every check that begins afterwards.
func (v *Verifier) SetRing(ring *Ring) { v.ring.Store(ring) }

// Ring is the ring in use.
func (v *Verifier) Ring() *Ring { return v.ring.Load() }

// Verify checks a token by the system clock. See [Verifier.VerifyAt].
func (v *Verifier) Verify(text string, sticker uint64, sender []byte) (time.Time, error) {
	return v.VerifyAt(text, sticker, sender, time.Now())
}

// VerifyAt makes all checks of section 1.3, in that order, of a token that came with a message: sticker is the one in the
// message, sender the user id that the server authenticated, byte by byte. It returns when the token expires, or the first
// [Refusal] that applies. Version 1 costs one HMAC and no allocation.
func (v *Verifier) VerifyAt(text string, sticker uint64, sender []byte, now time.Time) (time.Time, error) {
	ring := v.ring.Load()
	var buffer [maxLen]byte
	token, ok := decode(&buffer, text)
	if !ok || len(text) > maxTextV1 && (token[0] != 2 || len(ring.public) == 0) {
		return time.Time{}, Malformed
	}
	signatureLen, err := ring.authenticate(token)
	if err != nil {
		return time.Time{}, err
	}
	expiry, id := binary.BigEndian.Uint32(token[3:]), binary.BigEndian.Uint64(token[7:])
	user := token[fieldsLen : len(token)-signatureLen]
	switch {
	case now.Unix() >= int64(expiry):
		return time.Time{}, Expired
	case id == 0 || id > maxSafeInt:
		return time.Time{}, Malformed
	case id != sticker:
		return time.Time{}, WrongSticker
	case !bytes.Equal(user, sender):
		return time.Time{}, WrongUser
	case v.Denied.refuses(id, user, expiry):
		return time.Time{}, Revoked
	}
	return time.Unix(int64(expiry), 0), nil
}

// Strict refuses stray bits after the last byte.
var encoding = base64.RawURLEncoding.Strict()

// decode refuses every text but the one that its bytes encode to.
func decode(buffer *[maxLen]byte, text string) ([]byte, bool) {
	if len(text) < minTextV1 || len(text) > maxTextV2 {
		return nil, false
	}
	// Line breaks are what even the strict decoder skips.
	if strings.IndexByte(text, '\n') >= 0 || strings.IndexByte(text, '\r') >= 0 {
		return nil, false
	}
	var characters [maxTextV2]byte // on the stack, where a conversion would allocate
	n, err := encoding.Decode(buffer[:], characters[:copy(characters[:], text)])
	return buffer[:n], err == nil
}

// authenticate checks version, length, key and signature, and says how long the signature is.
func (r *Ring) authenticate(token []byte) (int, error) {
	id := binary.BigEndian.Uint16(token[1:])
	switch {
	case token[0] == 1:
		key := r.secret[id]
		if key == nil {
			return 0, UnknownKey
		}
		if !key.signed(token) {
			return 0, BadSignature
		}
		return sha256.Size, nil
	case token[0] == 2 && len(r.public) > 0:
		if len(token) < minLenV2 {
			return 0, Malformed
		}
		key := r.public[id]
		if key == nil {
			return 0, UnknownKey
		}
		// A copy, since what is handed to Ed25519 moves to the heap, and version 1 shall not pay for that.
		whole := append([]byte(domainV2), token...)
		body, signature := whole[:len(whole)-ed25519.SignatureSize], whole[len(whole)-ed25519.SignatureSize:]
		// It refuses an S that is not below the group's order.
		if !ed25519.Verify(key, body, signature) {
			return 0, BadSignature
		}
		return ed25519.SignatureSize, nil
	default:
		return 0, UnsupportedVersion
	}
}

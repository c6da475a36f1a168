package stickertoken

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"math"
	"sort"
	"sync"
)

// Ring is a set of keys by id, ready to verify. It does not change and shows no key when it is printed.
type Ring struct {
	secret map[uint16]*macKey
	public map[uint16]ed25519.PublicKey
}

// IDs lists the keys, ascending.
func (r *Ring) IDs() []int {
	ids := make([]int, 0, len(r.secret)+len(r.public))
	for id := range r.secret {
		ids = append(ids, int(id))
	}
	for id := range r.public {
		ids = append(ids, int(id))
	}
	sort.Ints(ids)
	return ids
}

// Format prints the ids alone, whatever the verb.
func (r *Ring) Format(f fmt.State, _ rune) { fmt.Fprint(f, "keys ", r.IDs()) }

// A RingCode is the stable code of what is wrong with a key file (section 1.4).
type RingCode string

// What can be wrong with a key file.
const (
	BadJSON     RingCode = "bad_json"
	BadID       RingCode = "bad_id"
	BadState    RingCode = "bad_state"
	BadKey      RingCode = "bad_key"
	DuplicateID RingCode = "duplicate_id"
	TwoSigning  RingCode = "two_signing"
)

// RingError refuses a key file as a whole. It says where, and shows nothing of the file's content.
type RingError struct {
	Code RingCode
	// Where is a line of the file, or which of its keys.
	Where string
}

func (e *RingError) Error() string { return fmt.Sprintf("%s: %s", e.Code, e.Where) }

// ParseRing reads a key file. It leaves out keys of algorithms that it does not know; the error is a [*RingError].
func ParseRing(file []byte) (*Ring, error) {
	whole, err := parseObject(file, "keys")
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return nil, &RingError{BadJSON, fmt.Sprint("line ", 1+bytes.Count(file[:syntax.Offset], []byte{'\n'}))}
	}
	if err != nil {
		return nil, &RingError{BadJSON, err.Error()}
	}
	ring := &Ring{make(map[uint16]*macKey), make(map[uint16]ed25519.PublicKey)}
	seen, signing := make(map[uint64]bool), make(map[string]bool)
	var problem *RingError
	at := 0
	isArray := elements(whole["keys"], func(raw json.RawMessage) bool {
		at++
		key, isObject := members(raw, "id", "algorithm", "state", "secret", "public")
		code := BadJSON
		if isObject && at <= maxKeys {
			code = ring.add(key, seen, signing)
		}
		if code != "" {
			problem = &RingError{code, fmt.Sprint("key ", at, " of the file")}
		}
		return code == ""
	})
	if problem != nil {
		return nil, problem
	}
	if !isArray {
		return nil, &RingError{BadJSON, "no array `keys` of objects"}
	}
	return ring, nil
}

// maxKeys is as many as there are ids.
const maxKeys = math.MaxUint16 + 1

func (r *Ring) add(key object, seen map[uint64]bool, signing map[string]bool) RingCode {
	algorithm, _ := key.text("algorithm")
	if key["algorithm"] == nil {
		algorithm = "hmac-sha256"
	}
	if algorithm != "hmac-sha256" && algorithm != "ed25519" {
		return ""
	}
	id, ok := key.whole("id", math.MaxUint16)
	if !ok {
		return BadID
	}
	if seen[id] {
		return DuplicateID
	}
	seen[id] = true
	switch state, _ := key.text("state"); {
	case state == "signing" && signing[algorithm]:
		return TwoSigning
	case state == "signing":
		signing[algorithm] = true
	case state != "published" && state != "verify":
		return BadState
	}
	secret, isSecret := key.hex("secret", 32, 32)
	public, isPublic := key.hex("public", 32, 32)
	switch {
	case algorithm == "hmac-sha256" && isSecret:
		r.secret[uint16(id)] = newMACKey(secret)
	// A verifier has no use for a seed, but a damaged file is refused everywhere.
	case algorithm == "ed25519" && isPublic && (isSecret || key["secret"] == nil):
		r.public[uint16(id)] = public
	default:
		return BadKey
	}
	return ""
}

// macKey is an HMAC key, which costs two blocks of SHA-256 to prepare; so states with the key in them are kept and reused.
type macKey struct{ states sync.Pool }

type macState struct {
	hash   hash.Hash
	signed [maxSignedV1]byte
	mac    [sha256.Size]byte
}

func newMACKey(secret []byte) *macKey {
	return &macKey{sync.Pool{New: func() any {
		state := &macState{hash: hmac.New(sha256.New, secret)}
		copy(state.signed[:], domainV1)
		return state
	}}}
}

// signed compares the token's MAC in constant time.
func (k *macKey) signed(token []byte) bool {
	state := k.states.Get().(*macState)
	defer k.states.Put(state)
	body, mac := token[:len(token)-sha256.Size], token[len(token)-sha256.Size:]
	n := len(domainV1) + copy(state.signed[len(domainV1):], body)
	state.hash.Reset()
	state.hash.Write(state.signed[:n])
	return hmac.Equal(state.hash.Sum(state.mac[:0]), mac)
}

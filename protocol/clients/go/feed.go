package stickertoken

import (
	"encoding/json"
	"errors"
	"math"
)

// maxListed bounds the entries of a page, and the stickers of an entry.
const maxListed = 10_000

// ErrBadPage refuses a page of the deny feed as a whole.
var ErrBadPage = errors.New("bad_page")

// Page is one answer of the deny feed (section 1.6).
type Page struct {
	Revocations []Revocation
	// Cursor is what to ask after next time.
	Cursor uint64
	// More says that there is more to ask for at once.
	More bool
}

// Revocation takes back the right to some stickers.
type Revocation struct {
	// User is a user's bytes; the empty string is every user.
	User string
	// Stickers that the user may no longer send.
	Stickers []uint64
	// RefuseUntil is the last expiry, in Unix seconds, of the tokens to refuse.
	RefuseUntil uint32
}

// ParsePage reads an answer of the deny feed; the error is [ErrBadPage].
func ParsePage(body []byte) (*Page, error) {
	whole, err := parseObject(body)
	entries, isArray := whole.objects("revocations")
	cursor, isWhole := whole.whole("cursor", maxSafeInt)
	more, isBool := whole.boolean("more")
	if err != nil || !isArray || !isWhole || !isBool || len(entries) > maxListed {
		return nil, ErrBadPage
	}
	page := &Page{make([]Revocation, len(entries)), cursor, more}
	for at, entry := range entries {
		if !page.Revocations[at].read(entry) {
			return nil, ErrBadPage
		}
	}
	return page, nil
}

func (r *Revocation) read(entry object) bool {
	if string(entry["user_hex"]) != "null" {
		user, ok := entry.hex("user_hex", 1, maxUserLen)
		if !ok {
			return false
		}
		r.User = string(user)
	}
	var ids []json.RawMessage
	if !isArray(entry["sticker_ids"]) || json.Unmarshal(entry["sticker_ids"], &ids) != nil || len(ids) > maxListed {
		return false
	}
	for _, text := range ids {
		id, ok := parseWhole(text, maxSafeInt)
		if !ok || id == 0 {
			return false
		}
		r.Stickers = append(r.Stickers, id)
	}
	until, isTime := entry.whole("refuse_until", math.MaxUint32)
	_, isCursor := entry.whole("cursor", maxSafeInt)
	r.RefuseUntil = uint32(until)
	return isTime && isCursor
}
